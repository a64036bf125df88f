"""Models for the tests: the real one, trained once a run, and a tiny one."""

import pytest

from inference.model.artifact import Artifact
from inference.model.manifest import TfidfManifest
from inference.model.scorer import Weights, unpack_weights
from inference.training.corpus import Dataset, Row, load_spam_assassin
from inference.training.train import Training, train

SPAM = (
    "Win money now, click here", "Click here for free money", "Free money fast, buy now", "Buy cheap pills now",
    "Cheap pills, free shipping", "Win a free prize now", "Claim your free prize", "Click here, claim money",
    "Make money fast at home", "Cheap loans, click now", "Free trial, buy today", "Win win win, free money",
)  # fmt: skip
HAM = (
    "The meeting is at noon", "Please review the patch", "The build fails on my machine", "Lunch at noon tomorrow?",
    "I pushed the patch today", "The meeting moved to Monday", "Can you review the build", "See you at lunch on Monday",
    "The machine is up again", "Notes of the meeting attached", "My machine fails to boot", "The patch fixes the build",
)  # fmt: skip


@pytest.fixture(scope="session")
def spam_assassin() -> Dataset:
    """All mails of the corpus."""
    return load_spam_assassin()


@pytest.fixture(scope="session")
def training(spam_assassin: Dataset) -> Training:
    """The model that the demo serves, and what it was made of."""
    return train(spam_assassin)


@pytest.fixture(scope="session")
def tiny_dataset() -> Dataset:
    """A handful of texts."""
    rows = [Row(text, label) for label, texts in (("spam", SPAM), ("ham", HAM)) for text in texts]
    return Dataset.from_rows(rows, "tiny")


@pytest.fixture(scope="session")
def tiny_training(tiny_dataset: Dataset) -> Training:
    """A model of the handful, made in milliseconds."""
    return train(tiny_dataset)


@pytest.fixture(scope="session")
def tiny_artifact(tiny_training: Training) -> Artifact:
    """The same as data."""
    return tiny_training.artifact


@pytest.fixture
def tiny_weights(tiny_training: Training) -> Weights:
    """Its numbers."""
    artifact = tiny_training.artifact
    assert isinstance(artifact.manifest, TfidfManifest)
    return unpack_weights(artifact.weights, labels=2, terms=artifact.manifest.vectorizer.terms, bigrams=True)
