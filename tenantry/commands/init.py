"""`tenantry init`: a new project."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from tenantry.console import result, say


def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the project.")] = Path(),
    *,
    terraform: Annotated[
        bool, typer.Option("--terraform", help="With the Terraform modules that `tenantry up` applies.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only show how the files differ from what this version writes.")
    ] = False,
) -> None:
    """Create a project: platform.yaml and its schema, main.py, a test of dist/, a GitHub workflow.

    A file that exists is never overwritten. After an upgrade, --diff shows what the new version would write.

    Example: tenantry init platform --terraform
    """
    from tenantry.project_files import project_files

    files = project_files(terraform=terraform)
    if diff:
        for name, text in files.items():
            result(_difference(folder, name, text), end="")
        return
    existing = [name for name in files if (folder / name).exists()]
    for name, text in files.items():
        if name not in existing:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            result(f"wrote {folder / name}")
    for name in existing:
        say(f"{folder / name}: exists and was not changed")
    say("next: edit platform.yaml, then run `tenantry synth` in the folder")


def _difference(folder: Path, name: str, text: str) -> str:
    """A unified diff from the project's file to this version's; empty if they are equal."""
    path = folder / name
    before = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    source = name if path.is_file() else "/dev/null"
    return "".join(difflib.unified_diff(before, text.splitlines(keepends=True), source, name))
