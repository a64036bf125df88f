"""Our own service with its measuring taken out: the difference is what measuring costs."""

import sys
from collections.abc import Sequence

from inference import metrics
from inference.__main__ import main


def _nothing(*_: object) -> None: ...


class _Deaf(metrics.Distribution):
    def __init__(self, bounds: Sequence[float]) -> None:
        super().__init__(bounds)
        self.add = _nothing


if __name__ == "__main__":
    metrics.Distribution = _Deaf
    metrics.TextMetrics.add = metrics.Metrics.add_answer = _nothing
    sys.exit(main())
