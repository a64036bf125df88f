"""Every report over one reading of the input."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist
from tests.paths import ROOT

REPORTS = ["reach", "exposure", "permissions", "pods", "references", "metrics", "check", "benchmarks", "paths"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with platform.yaml and dist/, in which the command runs."""
    shutil.copy(EXAMPLE, tmp_path / "platform.yaml")
    shutil.copytree(example_dist(), tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_what_each_command_prints(folder: Path) -> None:
    result = run("all")
    assert result.exit_code == 0, result.output
    parts = dict(
        part.split("\n", 1) for part in ("\n\n" + result.stdout).split("\n\n") if part.split("\n")[0].isupper()
    )
    assert [each.lower() for each in parts] == REPORTS
    for each in ("reach", "exposure", "permissions", "pods", "references", "metrics", "benchmarks", "paths"):
        assert f"{each.upper()}\n{run(each).stdout.rstrip()}" in result.stdout
    assert "CHECK\n2 tenants, contract platform: no finding\n" in result.stdout
    assert folder.is_dir()


def test_json_follows_the_published_schema_and_markdown_has_a_section_each(folder: Path) -> None:
    document = json.loads(run("all", "--format", "json").stdout)
    jsonschema.validate(document, json.loads((ROOT / "docs/audit.schema.json").read_text()))
    assert list(document) == ["schema", *REPORTS]
    text = run("all", folder / "dist", "--format", "markdown").stdout
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == REPORTS


def test_a_violation_and_a_path_are_failures(folder: Path) -> None:
    file = folder / "dist/tenant-b.k8s.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("pod-security.kubernetes.io/enforce: restricted", "pod-security.kubernetes.io/enforce: baseline")
    )
    assert run("all").exit_code == 1
    start = text.index("kind: RoleBinding")
    subject = text[start:].replace("    namespace: tenant-b", "    namespace: tenant-a", 1)
    file.write_text(text[:start] + subject)
    assert run("all").exit_code == 1


def test_a_contract_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("all", example_dist())
    assert result.exit_code == 2
    assert "no contract: give --contract FILE" in result.stderr
