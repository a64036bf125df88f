"""Who gets in: requests and bytes that are held at a time, and what a request that finds no room is told."""

import math
import time
from typing import Final

from inference import contract
from inference.errors import NotReadyError, OverloadedError, RequestError
from inference.settings import Settings

EXEMPT: Final = frozenset(
    {
        contract.LIVENESS_PATH,
        contract.READINESS_PATH,
        contract.METRICS_PATH,
        f"{contract.PROTOCOL_PATH}/health/live",
        f"{contract.PROTOCOL_PATH}/health/ready",
    }
)
"""Paths that are answered whatever the load: who watches the service must not be shed."""
_MAX_RETRY_AFTER_SECONDS: Final = 60
_WEIGHT: Final = 0.05


class Admission:
    """Counts what is in flight, and decides whether one more request gets in. Belongs to the event loop's thread.

    Attributes:
        in_flight: Requests received and not yet answered.
        max_in_flight: As many get in.
        buffered_bytes: Bytes of all bodies that are held now.
        loaded: Whether there is a model to answer with.
        draining: Whether the service is on its way out: not ready, but still answering.
        closed: Whether its time to do so is over.
        mean_seconds: What a request costs, as a moving average.
    """

    __slots__ = (
        "buffered_bytes",
        "closed",
        "draining",
        "in_flight",
        "loaded",
        "max_buffered_bytes",
        "max_in_flight",
        "mean_seconds",
    )

    def __init__(self, settings: Settings) -> None:
        self.in_flight = 0
        self.max_in_flight = settings.max_in_flight
        self.buffered_bytes = 0
        self.max_buffered_bytes = settings.max_buffered_bytes
        self.loaded = False
        self.draining = False
        self.closed = False
        self.mean_seconds = 0.0

    @property
    def ready(self) -> bool:
        """Whether the readiness probe answers 200."""
        return self.loaded and not self.draining

    def add_cost(self, seconds: float) -> None:
        """Remember what a request has cost, for `retry_after_seconds`."""
        self.mean_seconds += (seconds - self.mean_seconds) * _WEIGHT

    @property
    def retry_after_seconds(self) -> int:
        """When all that is in flight now will be answered, at the present pace; whole seconds, at least 1."""
        return min(max(math.ceil(self.in_flight * self.mean_seconds), 1), _MAX_RETRY_AFTER_SECONDS)

    def refusal(self) -> tuple[str, RequestError]:
        """Why the next request is refused (one of SHED_REASONS), and what its client is told."""
        if self.closed:
            return contract.SHED_REASONS[1], NotReadyError("the service is shutting down; ask another replica")
        if self.in_flight >= self.max_in_flight:
            found = f"{self.in_flight} requests are in flight, the most that are taken at a time"
        else:
            found = f"{self.buffered_bytes} bytes of requests are held, the most that are taken at a time"
        retry = self.retry_after_seconds
        text = f"{found}; try again in {retry} s"
        return contract.SHED_REASONS[0], OverloadedError(text, retry_after_seconds=retry)


class BurstLog:
    """Says when to log: at most once in `seconds`, with how many there were since the last time."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._next = -math.inf
        self._count = 0

    def add(self) -> int:
        """Count one; give back how many to report now, or 0 when a line was written a moment ago."""
        self._count += 1
        now = time.monotonic()
        if now < self._next:
            return 0
        self._next = now + self._seconds
        count, self._count = self._count, 0
        return count
