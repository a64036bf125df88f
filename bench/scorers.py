"""`python -m bench.scorers`: what scoring one text costs, without a service round it, in each of the scorers.

Prints microseconds of processor time a text, the least of some rounds that take turns: a busy machine adds to it and
never takes any away.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from bench.serving.work import MAILS, SHORT, workloads
from inference.model.classifier import TextClassifier
from inference.model.scorer import Scorer
from inference.training.corpus import load_spam_assassin
from inference.training.train import train

ROUNDS: Final = 5
SKLEARN_TEXTS: Final = 100
"""As many say enough of `predict_proba`, which is slow."""


def main() -> int:
    """Measure and print."""
    training = train(load_spam_assassin())
    texts = workloads([row.text for row in training.holdout])
    compiled, reference = TextClassifier(training.artifact), TextClassifier(training.artifact, make_scorer=Scorer)
    scorers: dict[str, tuple[Callable[[str], object], int | None]] = {
        "scikit-learn, predict_proba": (lambda text: training.pipeline.predict_proba([text]), SKLEARN_TEXTS),
        "reference, pure Python": (reference.predict, None),
        f"this machine's ({compiled.scorer_kind})": (compiled.predict, None),
    }
    best: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for name, (score, count) in scorers.items():
            for workload in (MAILS, SHORT):
                cost = _cost(score, texts[workload][:count])
                best[name, workload] = min(cost, best.get((name, workload), cost))
    print("| scorer | a mail, us | a short message, us |\n| --- | ---: | ---: |")
    for name in scorers:
        print(f"| {name} | {best[name, MAILS]:,.1f} | {best[name, SHORT]:,.1f} |")
    return 0


def _cost(score: Callable[[str], object], texts: Sequence[str]) -> float:
    begin = time.process_time()
    for text in texts:
        score(text)
    return (time.process_time() - begin) / len(texts) * 1e6


if __name__ == "__main__":
    sys.exit(main())
