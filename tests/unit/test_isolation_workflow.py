"""The workflow that signs the isolation of the manifests: what it signs, with which rights, and only from main."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.contract.attestation import PREDICATE
from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist
from tests.paths import ROOT
from tests.workflows import FOLDER, jobs_of, read_workflow

FILE = FOLDER / "isolation.yml"
JOBS = jobs_of(FILE)
TOOL = ROOT / "tools" / "statement_parts.py"


def test_the_job_that_signs_runs_no_code_of_the_repository_and_has_no_other_rights() -> None:
    sign = JOBS["sign"]
    assert sign["permissions"] == {"attestations": "write", "id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in sign["steps"]] == ["actions/download-artifact", "actions/attest"]
    assert JOBS["check"]["permissions"] == {"contents": "read"}


def test_only_manifests_of_main_that_keep_the_contract_are_signed() -> None:
    assert read_workflow(FILE)["on"]["push"]["branches"] == ["main"]
    assert JOBS["sign"]["if"] == "github.ref == 'refs/heads/main'"
    assert JOBS["sign"]["needs"] == "check"


def test_the_predicate_is_of_the_type_that_the_command_writes_and_the_document_names() -> None:
    (given,) = [step["with"] for step in JOBS["sign"]["steps"] if "actions/attest@" in step["uses"]]
    assert given["predicate-type"] == PREDICATE
    assert f"--predicate-type {PREDICATE}" in (ROOT / "docs/audit.md").read_text()


def test_the_parts_are_the_predicate_and_a_checksum_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(EXAMPLE, tmp_path / "platform.yaml")
    shutil.copytree(example_dist(), tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["audit", "check", "dist/", "--attest", "statement.json"]).exit_code == 0
    subprocess.run([sys.executable, TOOL, "statement.json"], check=True)
    assert json.loads(Path("predicate.json").read_text())["verdict"] == "holds"
    lines = [line.split("  ") for line in Path("subjects.sha256").read_text().splitlines()]
    assert {name: digest for digest, name in lines} == {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in Path("dist").iterdir()
    }


def test_the_tool_says_how_it_is_called() -> None:
    done = subprocess.run([sys.executable, TOOL], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: tools/statement_parts.py")
