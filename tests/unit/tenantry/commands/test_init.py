"""`tenantry init`: a first platform.yaml that works, and never over another."""

from pathlib import Path

from typer.testing import CliRunner

from constructs_lib.platform import Platform
from constructs_lib.platform.schema import platform_schema_text
from tenantry.cli import app


def test_the_first_file_is_right_and_has_its_schema_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "fleet" / "platform.yaml"
    result = CliRunner().invoke(app, ["init", "--file", str(file)])
    assert result.exit_code == 0, result.output
    assert [tenant.name for tenant in Platform.load(file).tenants] == ["tenant-a", "tenant-b"]
    assert file.with_name("platform.schema.json").read_text(encoding="utf-8") == platform_schema_text()


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    """A reader takes the `#` away and it works."""
    file = tmp_path / "platform.yaml"
    CliRunner().invoke(app, ["init", "--file", str(file)])
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


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["init", "--file", str(file)])
    assert result.exit_code == 2
    assert "exists already and was not changed" in result.stderr
    assert file.read_text(encoding="utf-8") == "mine"
    assert not file.with_name("platform.schema.json").exists()


def _is_yaml(line: str) -> bool:
    """Whether a comment is a setting that waits to be used: a key or an item, and no sentence."""
    text = line.lstrip()
    first = text.removeprefix("# ").split(maxsplit=1)[:1]
    return text.startswith("# ") and bool(first) and (first[0] == "-" or first[0].endswith(":"))
