"""Train a text classifier with scikit-learn and seal it as data.

The same rows give the same bytes: split, seed and settings are fixed, and neither time nor machine is written.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import sklearn
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from inference.address import check_name
from inference.model.artifact import Artifact, seal
from inference.model.classifier import TextClassifier
from inference.model.manifest import Baseline, Data, HoldoutMetrics
from inference.model.scorer import Score, Scorer
from inference.training.convert import convert
from inference.training.corpus import DataError, Dataset, Row
from inference.training.examples import choose_examples
from inference.training.methods import SEED, Method, fit, search
from inference.training.report import baseline, measure, warnings

NAME: Final = "spam"
HOLDOUT: Final = 0.2
"""Share of the rows that are held out of training, the same for every label."""
Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""


class Training(NamedTuple):
    """A trained model as data, the scikit-learn pipeline behind it, and the rows held out with their report."""

    artifact: Artifact
    pipeline: Pipeline
    holdout: list[Row]
    metrics: HoldoutMetrics
    baseline: Baseline
    method: Method
    warnings: tuple[str, ...]
    """What the report says against this model, and which option may help."""


def train(
    dataset: Dataset,
    *,
    name: str = NAME,
    holdout: Dataset | None = None,
    method: Method = Method(),  # noqa: B008 - frozen
    choose: bool = False,
    examples: bool = True,
    progress: Progress = lambda _: None,
) -> Training:
    """Train on four fifths of `dataset` and measure on the rest; or train on all of it and measure on `holdout`.

    Args:
        dataset: labelled texts.
        name: of the model.
        holdout: labelled texts to measure on.
        method: how to train.
        choose: whether to choose the method by cross-validation instead; of `method` only `balanced` counts then.
        examples: whether the model holds a few texts of the hold-out, which the page of the service shows.
        progress: called with each step.

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
    if choose:
        method = search(rows, dataset.source, method, progress)
    progress(f"training on {len(rows):,} of {len(everything.rows):,} texts: {method}")
    pipeline = fit(method, rows, dataset.source)
    conversion = convert(pipeline)
    sealed = partial(
        seal,
        conversion.weights,
        name=name,
        labels=conversion.labels,
        vectorizer=conversion.vectorizer,
        classifier=conversion.classifier,
        data=Data(
            source=dataset.source,
            fingerprint=everything.fingerprint,
            rows=len(everything.rows),
            train_rows=len(rows),
        ),
        versions=_versions(),
        examples=choose_examples(held_out) if examples else (),
    )
    progress(f"measuring {conversion.vectorizer.terms:,} terms on the {len(held_out):,} texts held out")
    model = TextClassifier(sealed(metrics=None, baseline=None), make_scorer=Scorer)
    answers = [model.predict(row.text) for row in held_out]
    scores = [Score(answer.probabilities, answer.words, answer.unknown_words) for answer in answers]
    metrics, means = measure(conversion.labels, held_out, scores), baseline(held_out, scores)
    artifact = sealed(metrics=metrics, baseline=means)
    return Training(
        artifact, pipeline, held_out, metrics, means, method, tuple(warnings(metrics, held_out, scores, method))
    )


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


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:2]))
    return {"numpy": np.__version__, "python": python, "scikit-learn": sklearn.__version__}
