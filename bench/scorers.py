"""`python -m bench.scorers`: what scoring one text costs in each of the scorers, without a service around it.

Prints microseconds of processor time per text and how many times faster than scikit-learn that is: the minimum of some
interleaved rounds, because a busy machine adds to it and never subtracts.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from sklearn.pipeline import Pipeline

from bench.serving.work import MAILS, SHORT, workloads
from inference.model.classifier import TextClassifier
from inference.model.scorer import Scorer
from inference.training.corpus import load_spam_assassin
from inference.training.methods import Method
from inference.training.train import train

ROUNDS: Final = 5
SKLEARN_TEXTS: Final = 100
"""As many are enough for `predict_proba`, which is slow."""
SKLEARN: Final = "scikit-learn, predict_proba"


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
    for method in (Method(ngrams=(1, 3)), Method(analyzer="char_wb", ngrams=(2, 5))):
        other = train(dataset, method=method)
        model = TextClassifier(other.artifact)
        _print(
            str(method),
            {
                SKLEARN: (partial(_predict_proba, other.pipeline), SKLEARN_TEXTS),
                f"this machine's ({model.scorer_kind})": (model.predict, None),
            },
            texts,
        )
    return 0


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
