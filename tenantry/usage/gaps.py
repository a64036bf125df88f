"""Parts of a period in which Prometheus has no sample of a tenant."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from constructs_lib.names import SCRAPE_SECONDS
from tenantry.cluster.prometheus import Prometheus
from tenantry.usage.period import Period

STEP_SECONDS: Final = 4 * SCRAPE_SECONDS
"""A gap is at least so long: a few scrapes that fail are not a gap, since counters go on."""
PROMETHEUS: Final = "Prometheus recorded nothing"
TENANT: Final = "no pod of the tenant was scraped"


@dataclass(frozen=True)
class Gap:
    """A part of a period without samples.

    Attributes:
        start: Seconds since the epoch.
        end: The same.
        cause: PROMETHEUS or TENANT.
    """

    start: int
    end: int
    cause: str

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.end - self.start


def recorded_steps(prometheus: Prometheus, period: Period, selector: str) -> AbstractSet[int]:
    """The ends of those steps of a period in which a selector has a sample."""
    query = f"count(count_over_time({selector}[{STEP_SECONDS}s]))"
    found = prometheus.range(query, period.start + STEP_SECONDS, period.end, STEP_SECONDS)
    return {int(at) for values in found.values() for at in values}


def gaps(period: Period, anything: AbstractSet[int], tenant: AbstractSet[int]) -> Iterator[Gap]:
    """The gaps of a tenant.

    Args:
        period: The period.
        anything: Ends of the steps in which Prometheus recorded any target.
        tenant: Ends of those in which it recorded the tenant.
    """
    current: Gap | None = None
    for end in range(period.start + STEP_SECONDS, period.end + 1, STEP_SECONDS):
        cause = "" if end in tenant else TENANT if end in anything else PROMETHEUS
        if current is not None and cause == current.cause:
            current = Gap(current.start, end, cause)
            continue
        if current is not None:
            yield current
        current = Gap(end - STEP_SECONDS, end, cause) if cause else None
    if current is not None:
        yield current
