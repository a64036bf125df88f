"""The period of a usage report."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tenantry.durations import duration
from tenantry.errors import InputError

WINDOW_SECONDS: Final = 3_600
"""Counters are read in windows of this length."""
LONGEST: Final = timedelta(days=400)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Period:
    """A period of time.

    Attributes:
        start: Seconds since the epoch.
        end: The same.
    """

    start: int
    end: int

    @classmethod
    def parse(cls, since: str, until: str = "", now: datetime | None = None) -> "Period":
        """The period that two options name.

        Args:
            since: How long before the end it begins, as in `30d` or `12h`, or a date in UTC.
            until: A date in UTC; the period ends when that day begins. Empty: now.
            now: The present time.

        Raises:
            InputError: One of them is neither, or the period is empty, in the future, or too long.
        """
        present = (now or datetime.now(UTC)).replace(microsecond=0)
        end = _date("--until", until) if until else present
        start = _date("--since", since) if _DATE.fullmatch(since) else end - duration("--since", since, LONGEST)
        if end > present:
            raise InputError(f"--until {until}: must not be in the future")
        if start >= end:
            raise InputError(f"--since {since}: must be before the end of the period, {end:%Y-%m-%d %H:%M} UTC")
        if end - start > LONGEST:
            raise InputError(f"--since {since}: the period must have at most {LONGEST.days} days")
        return cls(int(start.timestamp()), int(end.timestamp()))

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.end - self.start

    def windows(self) -> Iterator[tuple[int, int]]:
        """Length and end of each of its windows; only the last one may be shorter."""
        for start in range(self.start, self.end, WINDOW_SECONDS):
            end = min(start + WINDOW_SECONDS, self.end)
            yield end - start, end


def utc(seconds: float) -> str:
    """A time as reports show it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{option} {text}: write a date, as in 2026-11-01") from error
