"""Importing pipelines from the command line."""

import json
from pathlib import Path

import pytest
import skops.io
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from inference.model.artifact import read_directory
from tenantry.cli import app
from tests.models import TEXTS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a pipeline and labelled texts."""
    monkeypatch.chdir(tmp_path)
    rows = [(text, label) for label, texts in TEXTS.items() for text in texts]
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), ComplementNB())
    pipeline.fit([text for text, _ in rows], [label for _, label in rows])
    skops.io.dump(pipeline, tmp_path / "pipeline.skops")
    (tmp_path / "test.csv").write_text("Message;Category\nwin free pills;spam\nreview the build;ham\n")
    return tmp_path


def test_a_pipeline_becomes_a_model_that_is_compared_and_measured(folder: Path) -> None:
    options = [
        "--output",
        "model",
        "--name",
        "mails",
        "--check",
        "test.csv",
        "--text",
        "Message",
        "--label",
        "Category",
    ]
    done = CliRunner().invoke(app, ["import", "pipeline.skops", *options])
    assert done.exit_code == 0, done.output
    artifact = read_directory(folder / "model")
    assert artifact.manifest.name == "mails"
    assert f"model: version {artifact.version}\n" in done.stdout
    assert "accuracy 1.000 on 2 texts held out" in done.stdout
    assert "largest difference from predict_proba" in done.stdout


def test_json_says_what_was_compared(folder: Path) -> None:
    done = CliRunner().invoke(app, ["import", "pipeline.skops", "--output", "model", "--format", "json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["digest"] == f"sha256:{read_directory(folder / 'model').digest}"
    assert document["labels"] == ["ham", "spam"]
    assert document["largest_difference"] < 1e-9
    assert "no --check: the model has no hold-out metrics" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.skops", "-o", "model"], "none.skops: there is no such file"),
        (["test.csv", "-o", "model"], "test.csv: loading a .csv file runs the code in it"),
        (["pipeline.skops", "-o", "model", "--name", "a b"], "--name a b: a model's name is"),
        (["pipeline.skops", "-o", "test.csv"], "test.csv is not a folder"),
        (["pipeline.skops", "-o", "model", "--check", "test.csv"], "test.csv, line 1: no column 'text'"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_written(folder: Path, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["import", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (folder / "model").exists()
