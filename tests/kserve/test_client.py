"""KServe's own client, from PyPI, works with the service unchanged (`make kserve-test`).

KSERVE_PYTHON names the Python of an environment that has it: it brings half a gigabyte of what nothing else needs.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from inference.model.artifact import read_directory
from inference.model.classifier import TextClassifier
from tests.models import write_tiny_model
from tests.service import service

ASK = Path(__file__).with_name("ask.py")
TEXTS = ("free money", "review the patch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("kserve") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> TextClassifier:
    return TextClassifier.from_artifact(read_directory(folder))


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, Any]:
    """What the client made of the service's answers."""
    with service(folder, folder.parent / "log") as running:
        command = [os.environ["KSERVE_PYTHON"], str(ASK), running.url]
        return dict(json.loads(subprocess.check_output(command, text=True, timeout=120)))


def test_it_finds_the_service_live_and_ready(asked: dict[str, Any]) -> None:
    """The client's questions about health are answered, and another model is not ready."""
    assert (asked["live"], asked["ready"], asked["model_ready"]) == (True, True, True)
    assert asked["other_model_ready"] is False


def test_it_reads_the_answers(asked: dict[str, Any], model: TextClassifier) -> None:
    """Labels, probabilities to the last digit and id arrive; the client drops the version."""
    answers = [model.predict(text) for text in TEXTS]
    assert asked["answer"] == {
        "id": "42",
        "model": "spam",
        "labels": [answer.label for answer in answers],
        "probabilities": [list(answer.probabilities) for answer in answers],
    }


@pytest.mark.parametrize("way", ["array", "binary"])
def test_it_may_send_arrays(asked: dict[str, Any], model: TextClassifier, way: str) -> None:
    """NumPy's arrays of text are understood, as JSON and in the client's own binary form."""
    assert asked[way] == [model.predict(text).label for text in TEXTS]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("wrong_shape", "means 3 texts, found 2"),
        ("wrong_model", "unknown model 'other'"),
    ],
)
def test_it_shows_our_errors(asked: dict[str, Any], call: str, words: str) -> None:
    """The text of an error reaches the person who uses the client."""
    assert words in asked[call]
