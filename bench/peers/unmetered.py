"""Our own service with its measuring taken out: the difference is what measuring costs."""

import sys

from inference.__main__ import main
from inference.metrics import Distribution, Metrics, TextMetrics


def _nothing(*_: object) -> None: ...


if __name__ == "__main__":
    for owner, name in ((Distribution, "add"), (TextMetrics, "add"), (Metrics, "add_answer")):
        setattr(owner, name, _nothing)
    sys.exit(main())
