"""How much counters have grown in a period, from their samples and without extrapolation.

PromQL's `increase` extrapolates to the borders of its range, and ignores the first value of a new series, which is what
the pod counted before it was scraped for the first time. Here each difference of two samples counts once. A series that
appears in the period counts from zero, because its pod or its caller is new. A value below the one before is a restart,
and counts from zero too. What a pod counts after its last scrape was never stored, so the result is at most the truth.

Prometheus returns the smallest and the largest value of each window and its number of restarts. The samples themselves
are read only for windows with a restart inside.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from tenantry.cluster.prometheus import Labels, Points, Prometheus
from tenantry.usage.period import WINDOW_SECONDS, Period

LOOKBACK_SECONDS: Final = 86_400
"""How far before the period the last sample of a series may be. A pod that was not scraped for a while is not new."""


class Increase(NamedTuple):
    """How much a series has grown.

    Attributes:
        total: The sum of its differences.
        restarts: How often its value fell.
    """

    total: float
    restarts: int


class Counters:
    """Reads counters of one period.

    Args:
        prometheus: Where they are stored.
        period: The period.
        is_start_known: Whether the targets were scraped shortly before the period. If not, a series may be older than
            the period, and the first value of each series that is there when the samples begin does not count.
    """

    def __init__(self, prometheus: Prometheus, period: Period, *, is_start_known: bool) -> None:
        self._prometheus: Final = prometheus
        self._period: Final = period
        self._is_start_known: Final = is_start_known

    def increases(self, selector: str) -> dict[Labels, Increase]:
        """How much each series of a selector has grown."""
        before = (
            self._prometheus.instant(f"last_over_time({selector}[{LOOKBACK_SECONDS}s])", self._period.start)
            if self._is_start_known
            else {}
        )
        lowest, highest, resets = (
            self._windows(partial(_over_time, function, selector))
            for function in ("min_over_time", "max_over_time", "resets")
        )
        first = min((at for series in highest.values() for at in series), default=0)
        found = {}
        for labels, peaks in highest.items():
            last, total, restarts = before.get(labels), 0.0, 0
            for at, peak in sorted(peaks.items()):
                if last is None and (self._is_start_known or at != first):
                    last = 0.0
                has_restart = resets[labels].get(at, 0) > 0
                for value in self._samples(selector, labels, at) if has_restart else (lowest[labels][at], peak):
                    if last is not None:
                        fell = value < last
                        restarts += fell
                        total += value if fell else value - last
                    last = value
            found[labels] = Increase(total, restarts)
        return found

    def totals(self, selector: str, *by: str) -> dict[tuple[str, ...], float]:
        """The same, summed by the values of labels."""
        sums: dict[tuple[str, ...], float] = defaultdict(float)
        for labels, increase in self.increases(selector).items():
            values = dict(labels)
            sums[tuple(values.get(name, "") for name in by)] += increase.total
        return sums

    def peak(self, query: Callable[[int], str]) -> float:
        """The largest value in all windows of a query that takes the seconds of a window; 0 without a value."""
        found = self._windows(query)
        return max((value for series in found.values() for value in series.values()), default=0.0)

    def sum(self, query: Callable[[int], str]) -> float:
        """The sum of its values over all windows."""
        return sum(value for series in self._windows(query).values() for value in series.values())

    def _windows(self, query: Callable[[int], str]) -> Points:
        """The values of a query at the end of each window."""
        full, rest = divmod(self._period.seconds, WINDOW_SECONDS)
        start, end = self._period.start + WINDOW_SECONDS, self._period.end
        found = self._prometheus.range(query(WINDOW_SECONDS), start, end - rest, WINDOW_SECONDS) if full else {}
        if rest:
            for labels, value in self._prometheus.instant(query(rest), end).items():
                found.setdefault(labels, {})[end] = value
        return found

    def _samples(self, selector: str, labels: Labels, at: float) -> Sequence[float]:
        """The values of one series in the window that ends at a time, the oldest first."""
        seconds = (int(at) - self._period.start) % WINDOW_SECONDS or WINDOW_SECONDS
        named = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels))
        metric = selector.partition("{")[0]
        found = self._prometheus.samples(f"{metric}{{{named}}}", seconds, at)
        return [value for _, value in sorted(found.get(labels, {}).items())]


def _over_time(function: str, selector: str, seconds: int) -> str:
    return f"{function}({selector}[{seconds}s])"
