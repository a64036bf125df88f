"""Training from the command line."""

import json
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from typer.testing import CliRunner

from inference.model.artifact import read_directory
from inference.store.bucket import Bucket
from tenantry.cli import app
from tests.models import TEXTS

ROWS = [(f"{text} {number}", label) for label, texts in TEXTS.items() for text in texts for number in range(4)]
JSONL = "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_becomes_a_model(folder: Path) -> None:
    """The report and the version are printed, what is going on goes to standard error."""
    (folder / "mails.csv").write_text("text,label\n" + "\n".join(f'"{text}",{label}' for text, label in ROWS))
    done = CliRunner().invoke(app, ["train", "--data", "mails.csv", "--output", "model", "--name", "mails"])
    assert done.exit_code == 0, done.output
    artifact = read_directory(folder / "model")
    assert artifact.manifest.name == "mails"
    assert f"model: version {artifact.version}\n" in done.stdout
    assert "accuracy" in done.stdout
    assert "reading mails.csv" in done.stderr


def test_a_published_data_set_becomes_a_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the datasets' bucket."""
    store = MemoryStore()
    store.put("2026/mails.jsonl", JSONL.encode())
    opened: list[str] = []

    def open_bucket(name: str) -> Bucket:
        opened.append(name)
        return Bucket(name, "a test", store)

    monkeypatch.setattr(Bucket, "open", open_bucket)
    done = CliRunner().invoke(app, ["train", "--data", "s3://datasets/2026/mails.jsonl", "--output", "model"])
    assert done.exit_code == 0, done.output
    assert opened == ["datasets"]
    assert read_directory(folder / "model").manifest.data.source == "mails.jsonl"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("missing.csv", "missing.csv: No such file"),
        ("one-label.jsonl", "one-label.jsonl: every row has the label 'spam'"),
        (
            "s3://models/tenant-a/x.csv",
            "--data s3://models/tenant-a/x.csv: data is read from a file or from s3://datasets/KEY",
        ),
        ("https://example.org/x.csv", "data is read from a file or from s3://datasets/KEY"),
    ],
)
def test_data_that_is_of_no_use_is_refused(folder: Path, data: str, message: str) -> None:
    """Exit code 2, the reason, and nothing written."""
    (folder / "one-label.jsonl").write_text("\n".join(line for line in JSONL.splitlines() if '"spam"' in line))
    done = CliRunner().invoke(app, ["train", "--data", data, "--output", "model"])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (folder / "model").exists()
