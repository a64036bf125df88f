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
            "--data s3://models/tenant-a/x.csv: data is read from a file, from s3://datasets/KEY, or from -",
        ),
        ("https://example.org/x.csv", "data is read from a file, from s3://datasets/KEY, or from -"),
    ],
)
def test_data_that_is_of_no_use_is_refused(folder: Path, data: str, message: str) -> None:
    """Exit code 2, the reason, and nothing written."""
    (folder / "one-label.jsonl").write_text("\n".join(line for line in JSONL.splitlines() if '"spam"' in line))
    done = CliRunner().invoke(app, ["train", "--data", data, "--output", "model"])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (folder / "model").exists()


def test_standard_input_and_named_columns_become_a_model(folder: Path) -> None:
    content = "Category;Message\n" + "\n".join(f'{label};"{text}"' for text, label in ROWS)
    options = ["--data", "-", "--text", "Message", "--label", "Category", "--output", "model"]
    done = CliRunner().invoke(app, ["train", *options], input=content.encode("utf-16"))
    assert done.exit_code == 0, done.output
    assert read_directory(folder / "model").manifest.data.source == "standard input"


def test_a_separate_file_measures_the_model(folder: Path) -> None:
    (folder / "all.jsonl").write_text(JSONL)
    (folder / "test.csv").write_text("text,label\nwin free pills,spam\nreview the build,ham\n")
    done = CliRunner().invoke(app, ["train", "-d", "all.jsonl", "--holdout", "test.csv", "-o", "model"])
    assert done.exit_code == 0, done.output
    assert "on 2 texts held out" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "my model"], "--name my model: a model's name is a-z"),
        (["--output", "file/model"], "--output file/model: cannot write to file/model: "),
        (["--output", "file"], "file is not a folder"),
    ],
)
def test_a_wrong_option_is_refused_before_the_training(folder: Path, options: list[str], message: str) -> None:
    (folder / "file").write_text("")
    (folder / "all.jsonl").write_text(JSONL)
    done = CliRunner().invoke(app, ["train", "--data", "all.jsonl", *options])
    assert done.exit_code == 2
    assert message in done.stderr
    assert "reading" not in done.stderr


def test_options_choose_the_method_and_warnings_go_to_standard_error(folder: Path) -> None:
    (folder / "all.jsonl").write_text(JSONL)
    options = ["--estimator", "logistic", "--analyzer", "char_wb", "--ngrams", "2-3", "--balanced"]
    done = CliRunner().invoke(app, ["train", "--data", "all.jsonl", "--output", "model", *options])
    assert done.exit_code == 0, done.output
    assert "logistic, char_wb n-grams 2-3, balanced" in done.stderr
    assert read_directory(folder / "model").manifest.format == 2


def test_a_model_that_misleads_is_written_with_a_warning(folder: Path) -> None:
    rows = [{"text": f"the same words {number % 50} {number // 50}", "label": "common"} for number in range(300)]
    rows += [{"text": f"the same words {number} {number}", "label": "rare"} for number in range(60, 72)]
    (folder / "rare.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = CliRunner().invoke(app, ["train", "--data", "rare.jsonl", "--output", "model"])
    assert done.exit_code == 0, done.output
    assert "warning: never predicted on the hold-out: 'rare'; --balanced" in done.stderr


@pytest.mark.parametrize("ngrams", ["0-1", "3-2", "1-11", "a", "", "1-2-3", "-1"])
def test_sizes_that_n_grams_cannot_have_are_refused(folder: Path, ngrams: str) -> None:
    (folder / "all.jsonl").write_text(JSONL)
    done = CliRunner().invoke(app, ["train", "--data", "all.jsonl", f"--ngrams={ngrams}"])
    assert done.exit_code == 2
    assert f"--ngrams {ngrams}: give two sizes from 1 to 10, as in 2-4" in done.stderr
