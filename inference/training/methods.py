"""How a model is trained: settings of vectorizer and classifier, and the choice among some by cross-validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.utils.class_weight import compute_sample_weight

from inference.training.corpus import DataError, Row

SEED: Final = 20021010
MIN_DF: Final = 2
"""A term must occur in this many texts: with 1, the model was three times as large and less accurate."""
ALPHA: Final = 0.1
FOLDS: Final = 3
MAX_NGRAM: Final = 10
SETTINGS: Final[dict[str, Any]] = {"lowercase": True, "norm": "l2", "sublinear_tf": False, "use_idf": True}
WORD_SETTINGS: Final[dict[str, Any]] = {"token_pattern": r"(?u)\b\w\w+\b"}

Estimator = Literal["multinomial", "complement", "logistic"]
Analyzer = Literal["word", "char", "char_wb"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """The settings of a training that a user may choose.

    Args:
        estimator: multinomial or complement naive Bayes, or logistic regression.
        analyzer: n-grams of words, of characters, or of characters inside words.
        ngrams: the smallest and the largest n-gram; None: 1 to 2 words, or 2 to 4 characters.
        balanced: whether every label counts the same, however many texts it has.
    """

    estimator: Estimator = "multinomial"
    analyzer: Analyzer = "word"
    ngrams: tuple[int, int] | None = None
    balanced: bool = False

    @property
    def ngram_range(self) -> tuple[int, int]:
        """The n-grams that are used."""
        return self.ngrams or ((1, 2) if self.analyzer == "word" else (2, 4))

    def __str__(self) -> str:
        least, most = self.ngram_range
        balance = ", balanced" if self.balanced else ""
        return f"{self.estimator}, {self.analyzer} n-grams {least}-{most}{balance}"


CANDIDATES: Final = (
    Method(),
    Method(estimator="complement"),
    Method(estimator="logistic"),
    Method(analyzer="char_wb"),
    Method(estimator="logistic", analyzer="char_wb"),
)
"""What a search compares."""


def vectorizer(method: Method) -> TfidfVectorizer:
    """The method's vectorizer, not fitted."""
    words = WORD_SETTINGS if method.analyzer == "word" else {}
    return TfidfVectorizer(**SETTINGS, **words, analyzer=method.analyzer, ngram_range=method.ngram_range, min_df=MIN_DF)


def fit(method: Method, rows: Sequence[Row], source: str) -> Pipeline:
    """Fit a pipeline to the rows.

    Raises:
        DataError: no term occurs in two of the texts.
    """
    classifiers: dict[Estimator, Callable[[], Any]] = {
        "multinomial": lambda: MultinomialNB(alpha=ALPHA),
        "complement": lambda: ComplementNB(alpha=ALPHA),
        "logistic": lambda: LogisticRegression(max_iter=1_000, random_state=SEED),
    }
    pipeline = Pipeline([("tfidf", vectorizer(method)), ("classifier", classifiers[method.estimator]())])
    labels = [row.label for row in rows]
    weights = {"classifier__sample_weight": compute_sample_weight("balanced", labels)} if method.balanced else {}
    try:
        return pipeline.fit([row.text for row in rows], labels, **weights)
    except ValueError as error:
        if "no terms remain" not in str(error) and "empty vocabulary" not in str(error):
            raise
        words = method.analyzer == "word"
        term, hint = ("word of two letters or more", ", or try --analyzer char") if words else ("n-gram", "")
        raise DataError(f"{source}: no {term} occurs in {MIN_DF} of the texts; give more texts{hint}") from error


def search(rows: Sequence[Row], source: str, chosen: Method, progress: Callable[[str], None]) -> Method:
    """The candidate with the highest macro F1 in cross-validation over `rows`; of equals the first.

    Args:
        rows: to train on; the hold-out takes no part.
        source: of the rows, for messages.
        chosen: whose `balanced` every candidate takes.
        progress: called with the result of each candidate.

    Raises:
        DataError: no candidate can be trained.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    labels = np.array([row.label for row in rows])
    scores = {}
    for candidate in CANDIDATES:
        method = replace(candidate, balanced=chosen.balanced)
        f1s = []
        try:
            for train, test in folds.split(labels, labels):
                pipeline = fit(method, [rows[place] for place in train], source)
                guesses = pipeline.predict([rows[place].text for place in test])
                f1s.append(f1_score(labels[test], guesses, average="macro"))
        except DataError as error:
            progress(f"{method}: {error}")
            continue
        scores[method] = fmean(f1s)
        progress(f"{method}: macro F1 {scores[method]:.3f} in {FOLDS}-fold cross-validation")
    if not scores:
        raise DataError(f"{source}: no method finds a term that occurs in {MIN_DF} of the texts; give more texts")
    return max(scores, key=scores.__getitem__)
