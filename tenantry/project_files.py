"""The files of a project, as `tenantry init` writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from inference import __version__
from tenantry.shipped import shipped

TEMPLATE: Final = Path(__file__).parent / "template"
NAMES: Final[Mapping[str, str]] = {
    "platform.yaml": "platform.yaml",
    "main.py": "main.py",
    "cdk8s.yaml": "cdk8s.yaml",
    "requirements.txt": "requirements.txt",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "tests/test_dist.py": "tests/test_dist.py",
    ".github/workflows/tenantry.yaml": "workflows/tenantry.yaml",
}
"""Where each file of the template goes in a project."""


def project_files(*, terraform: bool = False) -> dict[str, str]:
    """The text of every file of a new project, by its path in the project.

    Args:
        terraform: With the Terraform root modules that `tenantry up` applies.
    """
    from constructs_lib.platform.schema import platform_schema_text

    files = {path: (TEMPLATE / name).read_text("utf-8") for path, name in NAMES.items()}
    files["requirements.txt"] = files["requirements.txt"].format(version=__version__)
    files["platform.schema.json"] = platform_schema_text()
    for name in ("package.json", "package-lock.json"):
        files[name] = shipped(name).read_text("utf-8")
    if terraform:
        folder = shipped("terraform")
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.is_file() and not _left_out(relative):
                files[f"terraform/{relative.as_posix()}"] = path.read_text("utf-8")
    return files


def _left_out(path: Path) -> bool:
    """What Terraform writes into its folders, and our own tests of the modules."""
    return bool({".terraform", ".terraform.lock.hcl", "tests"} & set(path.parts)) or ".tfstate" in path.name
