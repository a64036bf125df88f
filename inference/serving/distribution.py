"""A histogram's numbers: how many values lie between bounds, and their sum.

`inference.serving._distribution` is the same in compiled code; this one takes over where none could be built.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, Protocol

Buckets = list[tuple[str, float]]
"""Upper bound, spelt as Prometheus spells it, and how many values lie at or below it."""


class Histogram(Protocol):
    """What `Distribution` and its compiled twin have in common. Not thread-safe."""

    def add(self, value: float) -> None:
        """Count a value; a bound counts itself in."""

    def read(self) -> tuple[Buckets, float]:
        """The buckets, and the sum of all values."""


class Distribution:
    """See the module.

    Args:
        bounds: The buckets' upper bounds in ascending order; a last bucket without one is added.
    """

    def __init__(self, bounds: Sequence[float], /) -> None:
        self._bounds: Final = bounds
        self._counts: Final = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count a value; a bound counts itself in."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> tuple[Buckets, float]:
        """The buckets, and the sum of all values."""
        return cumulated(self._bounds, self._counts), self._total


def cumulated(bounds: Sequence[float], counts: Sequence[int]) -> Buckets:
    """The buckets of `counts`, which has one number more than there are bounds."""
    names = [*(f"{float(bound)}" for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(map(float, counts)), strict=True))


def histogram(bounds: Sequence[float]) -> Histogram:
    """An empty histogram, the compiled one if there is one."""
    try:
        from inference.serving import _distribution  # noqa: PLC0415 - it may not be there
    except ImportError:
        return Distribution(bounds)
    return _distribution.Distribution(bounds)
