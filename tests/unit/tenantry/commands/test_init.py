"""`tenantry init`: a project whose first platform.yaml works; files that exist are never overwritten."""

from pathlib import Path

from typer.testing import CliRunner

from constructs_lib.platform import Platform
from constructs_lib.platform.schema import platform_schema_text
from tenantry.cli import app
from tests.paths import ROOT


def test_the_first_file_is_right_and_has_its_schema_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "fleet" / "platform.yaml"
    result = CliRunner().invoke(app, ["init", str(file.parent)])
    assert result.exit_code == 0, result.output
    assert [tenant.name for tenant in Platform.load(file).tenants] == ["tenant-a", "tenant-b"]
    assert file.with_name("platform.schema.json").read_text(encoding="utf-8") == platform_schema_text()


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    """A reader takes the `#` away and it works."""
    file = tmp_path / "platform.yaml"
    CliRunner().invoke(app, ["init", str(tmp_path)])
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    values = [line for line in lines if not line.lstrip().startswith("# ") or _is_yaml(line)]
    file.write_text("\n".join(line.replace("# ", "", 1) if _is_yaml(line) else line for line in values), "utf-8")
    platform = Platform.load(file)
    assert platform.platform.network.except_cidrs == ()
    assert platform.tenants[0].quota.headroom_pods == 4
    assert platform.tenants[1].image == "registry.example/ml-inference-service:1.2.3"
    assert platform.tenants[1].image_pull_secrets == ("registry",)
    assert platform.tenants[1].egress[0].port == 5432
    assert platform.tenants[1].receiver is not None


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_a_file_that_exists_is_listed_and_not_changed(tmp_path: Path) -> None:
    """The others are written, so that a folder that has some of them becomes a project."""
    for name in ("platform.yaml", "README.md"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert result.exit_code == 0, result.output
    written = _files(tmp_path)
    assert {name for name, text in written.items() if text == "mine"} == {"platform.yaml", "README.md"}
    assert {"main.py", "cdk8s.yaml", ".gitignore", "tests/test_dist.py", ".github/workflows/tenantry.yaml"} < set(
        written
    )
    assert f"{tmp_path / 'README.md'}: exists and was not changed" in result.stderr


def test_a_second_init_changes_nothing_and_its_diff_is_empty(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["init", str(tmp_path)])
    before = _files(tmp_path)
    assert CliRunner().invoke(app, ["init", str(tmp_path)]).stdout == ""
    assert CliRunner().invoke(app, ["init", str(tmp_path), "--diff"]).stdout == ""
    assert _files(tmp_path) == before


def test_diff_shows_what_this_version_would_write_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tenantry==0.0.1\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["init", str(tmp_path), "--diff"])
    assert "-tenantry==0.0.1\n+# Upgrade" in result.stdout
    assert "--- /dev/null\n+++ platform.yaml" in result.stdout
    assert _files(tmp_path) == {"requirements.txt": "tenantry==0.0.1\n"}


def test_the_terraform_modules_are_those_of_the_repository(tmp_path: Path) -> None:
    """Without their tests and without anything that Terraform wrote."""
    CliRunner().invoke(app, ["init", str(tmp_path), "--terraform"])
    for root in ("cluster", "platform"):
        ours = ROOT / "terraform" / root / "main.tf"
        assert (tmp_path / "terraform" / root / "main.tf").read_text("utf-8") == ours.read_text("utf-8")
    names = [name for name in _files(tmp_path) if name.startswith("terraform/")]
    assert not [name for name in names if "/tests/" in name or ".terraform" in name or "tfstate" in name]


def _is_yaml(line: str) -> bool:
    """Whether a comment is a setting that waits to be used: a key or an item, and no sentence."""
    text = line.lstrip()
    first = text.removeprefix("# ").split(maxsplit=1)[:1]
    return text.startswith("# ") and bool(first) and (first[0] == "-" or first[0].endswith(":"))
