"""Train a text classifier with scikit-learn and seal it as data.

The same rows give the same bytes: split, seed and settings are fixed, and neither time nor machine is written.
"""

import sys
from array import array
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from inference.address import check_name
from inference.model.artifact import Artifact, seal
from inference.model.manifest import Baseline, Data, HoldoutMetrics, Vectorizer
from inference.model.scorer import Scorer, Weights, pack_weights
from inference.training.corpus import DataError, Dataset, Row
from inference.training.report import baseline, measure

NAME: Final = "spam"
SEED: Final = 20021010
HOLDOUT: Final = 0.2
"""Share of the rows that are held out of training, the same for every label."""
SETTINGS: Final[dict[str, Any]] = {
    "lowercase": True,
    "token_pattern": r"(?u)\b\w\w+\b",
    "ngram_range": (1, 2),
    "norm": "l2",
    "sublinear_tf": False,
    "use_idf": True,
}
MIN_DF: Final = 2
"""A term must occur in this many texts: with 1, the model was three times as large and less accurate."""
ALPHA: Final = 0.1

Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""


class Training(NamedTuple):
    """A trained model as data, the scikit-learn pipeline behind it, and the rows held out with their report."""

    artifact: Artifact
    pipeline: Pipeline
    holdout: list[Row]
    metrics: HoldoutMetrics
    baseline: Baseline


def train(
    dataset: Dataset, *, name: str = NAME, holdout: Dataset | None = None, progress: Progress = lambda _: None
) -> Training:
    """Train on four fifths of `dataset` and measure on the rest; or train on all of it and measure on `holdout`.

    Raises:
        DataError: the name cannot be an address, a text of `holdout` is also in `dataset` or has a label that is not,
            or no word occurs in two of the texts.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise DataError(str(error)) from error
    rows, held_out = _separate(dataset, holdout) if holdout else split(dataset)
    everything = Dataset((*rows, *held_out), dataset.source) if holdout else dataset
    progress(f"training on {len(rows):,} of {len(everything.rows):,} texts")
    pipeline = _fit(rows, dataset.source)
    weights = export(pipeline)
    progress(f"measuring {len(weights.idf):,} terms on the {len(held_out):,} texts held out")
    scorer = Scorer(weights)
    scores = [scorer.score(row.text) for row in held_out]
    labels = tuple(str(label) for label in pipeline.named_steps["bayes"].classes_)
    metrics, means = measure(labels, held_out, scores), baseline(held_out, scores)
    artifact = seal(
        pack_weights(weights),
        name=name,
        labels=labels,
        vectorizer=Vectorizer(**SETTINGS, terms=len(weights.idf)),
        data=Data(
            source=dataset.source,
            fingerprint=everything.fingerprint,
            rows=len(everything.rows),
            train_rows=len(rows),
        ),
        metrics=metrics,
        baseline=means,
        versions=_versions(),
    )
    return Training(artifact, pipeline, held_out, metrics, means)


def _separate(dataset: Dataset, holdout: Dataset) -> tuple[list[Row], list[Row]]:
    """All rows of both, after a check that the hold-out can measure a model of the other."""
    labels = {row.label for row in dataset.rows}
    texts = {row.text for row in dataset.rows}
    problems = [
        f"label {label!r} is not in {dataset.source}" for label in sorted({row.label for row in holdout.rows} - labels)
    ]
    if known := sum(row.text in texts for row in holdout.rows):
        problems.append(
            f"{known} of {len(holdout.rows)} texts are in {dataset.source} too; metrics on texts that the model has"
            " seen mean nothing: remove them from one of the files"
        )
    if problems:
        raise DataError.from_problems(holdout.source, problems)
    return list(dataset.rows), list(holdout.rows)


def split(dataset: Dataset) -> tuple[list[Row], list[Row]]:
    """The rows to train on and the rows held out, always the same for the same dataset."""
    labels = [row.label for row in dataset.rows]
    rows, holdout = train_test_split(list(dataset.rows), test_size=HOLDOUT, random_state=SEED, stratify=labels)
    return rows, holdout


def _fit(rows: list[Row], source: str) -> Pipeline:
    pipeline = Pipeline([("tfidf", TfidfVectorizer(**SETTINGS, min_df=MIN_DF)), ("bayes", MultinomialNB(alpha=ALPHA))])
    try:
        return pipeline.fit([row.text for row in rows], [row.label for row in rows])
    except ValueError as error:
        raise DataError(
            f"{source}: no word of two letters or more occurs in {MIN_DF} of the texts ({error}); give more texts"
        ) from error


def export(pipeline: Pipeline) -> Weights:
    """The weights of a fitted pipeline of TfidfVectorizer and MultinomialNB."""
    vectorizer, bayes = pipeline.named_steps["tfidf"], pipeline.named_steps["bayes"]
    logs = bayes.feature_log_prob_
    priors = bayes.class_log_prior_
    return Weights(
        terms="\n".join(vectorizer.get_feature_names_out()).encode(),
        idf=array("d", vectorizer.idf_.tolist()),
        pushes=array("d", (logs[1:] - logs[0]).T.ravel().tolist()),
        priors=array("d", (priors[1:] - priors[0]).tolist()),
        bigrams=vectorizer.ngram_range == (1, 2),
    )


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:2]))
    return {"numpy": np.__version__, "python": python, "scikit-learn": sklearn.__version__}
