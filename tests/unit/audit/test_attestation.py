"""The in-toto statement of `tenantry audit check --attest`."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audit.contract import contract_findings
from audit.model.finding import Finding
from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["audit", "check", *map(str, arguments)], input=text)


def statement(*arguments: object) -> dict[str, Any]:
    """What `--attest` writes."""
    run("--attest", "statement.json", *arguments)
    found: dict[str, Any] = json.loads(Path("statement.json").read_text())
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with platform.yaml and dist/, in which the command runs."""
    shutil.copy(EXAMPLE, tmp_path / "platform.yaml")
    shutil.copytree(example_dist(), tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(old: str, new: str) -> None:
    file = Path("dist/tenant-a.k8s.yaml")
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_an_attestation_names_every_file_with_its_digest_and_the_verdict() -> None:
    assert run("--attest", "statement.json").exit_code == 0
    found = json.loads(Path("statement.json").read_text())
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    digests = {each["name"]: each["digest"]["sha256"] for each in found["subject"]}
    file = Path("dist/tenant-a.k8s.yaml")
    assert digests[str(file)] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert len(digests) == len(list(Path("dist").iterdir()))
    assert found["predicate"]["verdict"] == "holds"
    edit("- configmaps", "- secrets")
    assert run("--attest", "statement.json").exit_code == 1
    found = json.loads(Path("statement.json").read_text())
    assert found["predicate"]["verdict"] == "violated"
    assert len(found["predicate"]["ids"]) == 1


def test_the_digest_is_that_of_the_bytes_also_with_crlf_and_a_byte_order_mark() -> None:
    file = Path("dist/tenant-a.k8s.yaml")
    content = b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(content)
    digests = {each["name"]: each["digest"]["sha256"] for each in statement()["subject"]}
    assert digests[str(file)] == hashlib.sha256(content).hexdigest()


def test_what_is_attested_is_what_was_checked_if_files_change_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("contract.yaml").write_text(run("--show-contract").stdout)
    Path("values.yaml").write_text("prometheus: {enabled: false}\n")
    read = [*sorted(Path("dist").iterdir()), Path("values.yaml")]
    digests = {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in read}
    contract = hashlib.sha256(Path("contract.yaml").read_bytes()).hexdigest()

    def while_checking(*arguments: Any) -> Iterator[Finding]:
        for each in (*read, Path("contract.yaml")):
            each.write_text("changed: true\n")
        return contract_findings(*arguments)

    monkeypatch.setattr("audit.contract.contract_findings", while_checking)
    found = statement("--contract", "contract.yaml", "--values", "values.yaml", tmp_path / "dist")
    assert {Path(each["name"]).name: each["digest"]["sha256"] for each in found["subject"]} == {
        Path(name).name: digest for name, digest in digests.items()
    }
    assert found["predicate"]["contract"]["digest"]["sha256"] == contract


def test_standard_input_cannot_be_attested() -> None:
    result = run("-", "--attest", "statement.json", text=Path("dist/tenant-a.k8s.yaml").read_text())
    assert result.exit_code == 2, result.output
    assert "--attest names files with their digests: give files instead of -" in result.stderr
    assert not Path("statement.json").exists()


def test_the_statement_counts_what_a_waiver_and_the_baseline_leave_out() -> None:
    edit("- configmaps", "- secrets")
    report = run("--format", "json").stdout
    Path("known.json").write_text(report)
    (entry,) = json.loads(report)["entries"]
    contract = run("--show-contract").stdout
    waiver = f"  waivers:\n  - {{id: {entry['members'][0]['id']}, reason: until the move, expires: 2999-12-31}}\n"
    Path("waived.yaml").write_text(contract.rstrip() + "\n" + waiver)

    for arguments, left_out in (
        ((), {"waived": 0, "inBaseline": 0}),
        (("--baseline", "known.json"), {"waived": 0, "inBaseline": 1}),
        (("--contract", "waived.yaml"), {"waived": 1, "inBaseline": 0}),
    ):
        predicate = statement(*arguments)["predicate"]
        assert predicate["leftOut"] == left_out
        assert predicate["findings"]["violation"] == 1 - sum(left_out.values())
        assert predicate["verdict"] == ("holds" if any(left_out.values()) else "violated")
