"""Train a text classifier with scikit-learn and write it as data: `python -m inference.training.train --output FOLDER`.

The same rows give the same bytes: split, seed and settings are fixed, and nothing of the day or the machine is written.
"""

import argparse
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from inference.model.artifact import Artifact, Data, Vectorizer, seal, write
from inference.model.scorer import Scorer, Weights, pack_weights
from inference.training.corpus import DataError, Dataset, Row, load_file, load_spam_assassin
from inference.training.report import baseline, measure, summary

NAME: Final = "spam"
SEED: Final = 20021010
HOLDOUT: Final = 0.2
"""Share of the rows that training never sees, the same of every label."""
SETTINGS: Final[dict[str, Any]] = {
    "lowercase": True,
    "token_pattern": r"(?u)\b\w\w+\b",
    "ngram_range": (1, 2),
    "norm": "l2",
    "sublinear_tf": False,
    "use_idf": True,
}
MIN_DF: Final = 2
"""A term that occurs in fewer texts than this is no term: it made the model three times as large, and worse."""
ALPHA: Final = 0.1

Progress = Callable[[str], None]
"""Is told each step as it begins."""


class Training(NamedTuple):
    """A trained model as data, and what it was made of: the scikit-learn pipeline and the rows it never saw."""

    artifact: Artifact
    pipeline: Pipeline
    holdout: list[Row]


def train(dataset: Dataset, *, name: str = NAME, progress: Progress = lambda _: None) -> Training:
    """Train on four fifths of `dataset` and measure on the rest.

    Raises:
        DataError: no word occurs in two of the texts.
    """
    rows, holdout = split(dataset)
    progress(f"training on {len(rows):,} of {len(dataset.rows):,} texts")
    pipeline = _fit(rows, dataset.source)
    weights = export(pipeline)
    progress(f"measuring {len(weights.idf):,} terms on the {len(holdout):,} texts held out")
    scorer = Scorer(weights)
    scores = [scorer.score(row.text) for row in holdout]
    labels = tuple(str(label) for label in pipeline.named_steps["bayes"].classes_)
    artifact = seal(
        pack_weights(weights),
        name=name,
        labels=labels,
        vectorizer=Vectorizer(**SETTINGS, terms=len(weights.idf)),
        data=Data(source=dataset.source, fingerprint=dataset.fingerprint, rows=len(dataset.rows), train_rows=len(rows)),
        metrics=measure(labels, holdout, scores),
        baseline=baseline(holdout, scores),
        versions=_versions(),
    )
    return Training(artifact, pipeline, holdout)


def split(dataset: Dataset) -> tuple[list[Row], list[Row]]:
    """The rows to train on and the rows held out: always the same for the same rows."""
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
    """The numbers of a fitted pipeline of TfidfVectorizer and MultinomialNB, as the scorers take them."""
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


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when a model was written, 2 when the data was of no use."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.train",
        description="Train a text classifier and write it as manifest.json and weights.safetensors.",
        epilog="example: python -m inference.training.train --output build/models/spam --data mails.csv",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder to write, made if need be")
    parser.add_argument("--name", default=NAME, help="the model's name in the Open Inference Protocol (%(default)s)")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help=".csv or .jsonl with text and label (the SpamAssassin mails)"
    )
    options = parser.parse_args(arguments)
    try:
        _say(f"reading {options.data or 'the SpamAssassin mails'}")
        dataset = load_file(options.data) if options.data else load_spam_assassin()
        training = train(dataset, name=options.name, progress=_say)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command's own words
        return 2
    write(options.output, training.artifact)
    _say(f"{summary(training.artifact.manifest.metrics)}\nwrote {options.output} (version {training.artifact.version})")
    return 0


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - a command's own words


if __name__ == "__main__":
    sys.exit(main())
