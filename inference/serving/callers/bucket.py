"""A token bucket: how much a caller may still do now, and when it may do more."""

import math
from time import monotonic
from typing import Final


class TokenBucket:
    """Holds up to `capacity` tokens, and gets `rate` tokens per second. It is full at first.

    More tokens can be taken than there are, for what is known only afterwards; the bucket then owes them.

    Args:
        rate: Tokens per second, above 0.
        capacity: The most that it holds, at least 1.
    """

    __slots__ = ("_at", "_capacity", "_rate", "_tokens")

    def __init__(self, rate: float, capacity: float) -> None:
        self._rate: Final = rate
        self._capacity: Final = capacity
        self._tokens = capacity
        self._at = monotonic()

    def take(self, tokens: float) -> None:
        """Remove tokens."""
        self._tokens -= tokens

    def take_one(self) -> float:
        """Remove a token if there is one. Return 0, or how long it takes until there is one."""
        seconds = self.wait_seconds()
        if not seconds:
            self._tokens -= 1
        return seconds

    def wait_seconds(self) -> float:
        """How long it takes until the bucket has a token; 0 if it has one now."""
        now = monotonic()
        tokens = self._tokens + (now - self._at) * self._rate
        self._tokens = tokens = min(tokens, self._capacity)
        self._at = now
        return 0.0 if tokens >= 1 else (1 - tokens) / self._rate


def whole_seconds(seconds: float) -> int:
    """A time as `Retry-After` has it: rounded up, at least 1."""
    return max(math.ceil(seconds), 1)
