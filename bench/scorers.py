"""`python -m bench.scorers`: what scoring one text costs in each of the scorers, without a service around it.

Prints microseconds of processor time per text and how many times faster than scikit-learn that is: the minimum of some
interleaved rounds, because a busy machine adds to it and never subtracts.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from bench.serving.work import MAILS, SHORT, workloads
from inference.model.artifact import seal
from inference.model.classifier import TextClassifier
from inference.model.manifest import Data
from inference.model.scorer import Scorer
from inference.training.convert import convert
from inference.training.corpus import load_spam_assassin
from inference.training.train import train

ROUNDS: Final = 5
SKLEARN_TEXTS: Final = 100
"""As many are enough for `predict_proba`, which is slow."""
SKLEARN: Final = "scikit-learn, predict_proba"
FIRST_TABLE: Final = "the first table's compiled scorer"
"""The goal for models of words: at most 1.5 times its cost per vectorizer."""


def main() -> int:
    """Measure and print."""
    dataset = load_spam_assassin()
    training = train(dataset)
    texts = workloads([row.text for row in training.holdout])
    compiled, reference = TextClassifier(training.artifact), TextClassifier(training.artifact, make_scorer=Scorer)
    _print(
        "words and pairs of words",
        {
            SKLEARN: (partial(_predict_proba, training.pipeline), SKLEARN_TEXTS),
            "reference, pure Python": (reference.predict, None),
            f"this machine's ({compiled.scorer_kind})": (compiled.predict, None),
        },
        texts,
    )
    for title, pipeline in pipelines().items():
        pipeline.fit([row.text for row in dataset.rows], [row.label for row in dataset.rows])
        imported = _imported(pipeline)
        _print(
            title,
            {
                SKLEARN: (partial(_predict_proba, pipeline), SKLEARN_TEXTS),
                FIRST_TABLE: (compiled.predict, None),
                f"this machine's ({imported.scorer_kind})": (imported.predict, None),
            },
            texts,
        )
    return 0


def pipelines() -> dict[str, Pipeline]:
    """Pipelines that tenants may import, which are not fitted."""
    common = {"min_df": 2}
    pairs = common | {"ngram_range": (1, 2)}
    return {
        "words, counts, logistic regression": make_pipeline(
            CountVectorizer(**common), LogisticRegression(solver="liblinear")
        ),
        "words and pairs, sublinear, naive Bayes": make_pipeline(
            TfidfVectorizer(**pairs, sublinear_tf=True), MultinomialNB()
        ),
        "words and pairs, without stop words and accents, modified Huber": make_pipeline(
            TfidfVectorizer(**pairs, stop_words="english", strip_accents="unicode"), SGDClassifier("modified_huber")
        ),
        "words and pairs, calibrated support vectors": make_pipeline(
            TfidfVectorizer(**pairs), CalibratedClassifierCV(LinearSVC(), cv=3)
        ),
        "one to three words, naive Bayes": make_pipeline(
            TfidfVectorizer(**common, ngram_range=(1, 3)), MultinomialNB()
        ),
        "words and pairs, hashed, logistic regression": make_pipeline(
            HashingVectorizer(ngram_range=(1, 2)), SGDClassifier("log_loss")
        ),
        "words and pairs, and words without stop words, logistic regression": make_pipeline(
            FeatureUnion(
                [
                    ("pairs", TfidfVectorizer(**pairs)),
                    ("words", TfidfVectorizer(**common, sublinear_tf=True, stop_words="english")),
                ]
            ),
            LogisticRegression(solver="liblinear"),
        ),
        "2 to 5 characters in words, naive Bayes": make_pipeline(
            TfidfVectorizer(**common, analyzer="char_wb", ngram_range=(2, 5)), MultinomialNB()
        ),
        "1 to 4 characters, naive Bayes": make_pipeline(
            TfidfVectorizer(**common, analyzer="char", ngram_range=(1, 4)), MultinomialNB()
        ),
    }


def _imported(pipeline: Pipeline) -> TextClassifier:
    conversion = convert(pipeline)
    artifact = seal(
        conversion.weights,
        name="bench",
        labels=conversion.labels,
        vectorizer=conversion.vectorizer,
        classifier=conversion.classifier,
        data=Data(source="", fingerprint="", rows=0, train_rows=0),
        metrics=None,
        baseline=None,
        versions={},
    )
    return TextClassifier(artifact)


def _predict_proba(pipeline: Pipeline, text: str) -> object:
    return pipeline.predict_proba([text])


Scorers = Mapping[str, tuple[Callable[[str], object], int | None]]
"""For each name what scores a text, and how many texts are enough; None: all."""


def _print(title: str, scorers: Scorers, texts: Mapping[str, Sequence[str]]) -> None:
    best: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for name, (score, count) in scorers.items():
            for workload in (MAILS, SHORT):
                cost = _cost(score, texts[workload][:count])
                best[name, workload] = min(cost, best.get((name, workload), cost))
    print(f"\n{title}\n\n| scorer | a mail, us | x | a short message, us | x |\n| --- | ---: | ---: | ---: | ---: |")
    for name in scorers:
        cells = [
            cell
            for workload in (MAILS, SHORT)
            for cell in (f"{best[name, workload]:,.1f}", f"{best[SKLEARN, workload] / best[name, workload]:,.1f}")
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def _cost(score: Callable[[str], object], texts: Sequence[str]) -> float:
    begin = time.process_time()
    for text in texts:
        score(text)
    return (time.process_time() - begin) / len(texts) * 1e6


if __name__ == "__main__":
    sys.exit(main())
