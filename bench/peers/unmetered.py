"""Our service without its metrics: the difference is the cost of metrics."""

import sys
from collections.abc import Sequence

from inference.__main__ import main
from inference.serving import metrics
from inference.serving.distribution import Distribution


def _nothing(*_: object) -> None: ...


class _Deaf(Distribution):
    def __init__(self, bounds: Sequence[float]) -> None:
        super().__init__(bounds)
        setattr(self, "add", _nothing)  # noqa: B010 - a plain function, which costs less than a method


if __name__ == "__main__":
    for owner, name, mute in (
        (metrics, "histogram", _Deaf),
        (metrics.TextMetrics, "add", _nothing),
        (metrics.Metrics, "add_answer", _nothing),
    ):
        setattr(owner, name, mute)
    sys.exit(main())
