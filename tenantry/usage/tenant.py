"""The usage of one tenant and of its callers."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from constructs_lib.monitoring.promql import selector
from constructs_lib.monitoring.rules import CONTAINER
from constructs_lib.names import SCRAPE_SECONDS, service_name
from inference import contract
from inference.api_keys import UNKNOWN
from tenantry.cluster.prometheus import Prometheus
from tenantry.usage.counting import Counters
from tenantry.usage.gaps import STEP_SECONDS, Gap, gaps, recorded_steps
from tenantry.usage.period import Period

REASONS: Final = tuple(dict.fromkeys((*contract.REJECT_REASONS, *contract.SHED_REASONS)))
"""Why requests are rejected: because of their caller, and because of the load."""
_CPU: Final = "container_cpu_usage_seconds_total"


@dataclass(kw_only=True)
class CallerUsage:
    """What one caller has used.

    Attributes:
        caller: Its name; `anonymous` where no key is required, `unknown` for requests whose caller is not known.
        requests: Requests accepted.
        texts: Texts, or rows of tensors, that were answered.
        rejected: Requests refused, by reason.
        work_seconds: What parsing and predicting them took.
        cpu_seconds: Its share of the tenant's CPU time, in proportion to `work_seconds`; None if that is not recorded.
    """

    caller: str
    requests: int = 0
    texts: int = 0
    rejected: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    work_seconds: float = 0.0
    cpu_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class TenantUsage:
    """What one tenant has used.

    Attributes:
        tenant: Its name.
        callers: Its callers, by name.
        cpu_seconds: CPU time of its containers; None if Prometheus has no samples of them.
        peak_pods: Most pods that were scraped at the same time.
        pods_ended: Pods and containers that ended: up to one scrape interval of each is missing.
        failed_scrapes: Scrapes of its pods that failed; counters go on, so only what a pod counted before it ended is
            missing.
        gaps: Parts of the period without samples.
    """

    tenant: str
    callers: Sequence[CallerUsage]
    cpu_seconds: float | None
    peak_pods: int
    pods_ended: int
    failed_scrapes: int
    gaps: Sequence[Gap]

    @property
    def has_samples(self) -> bool:
        """Whether Prometheus has any sample of it."""
        return self.peak_pods > 0 or bool(self.callers)


def tenant_usage(prometheus: Prometheus, period: Period, tenant: str, anything: AbstractSet[int]) -> TenantUsage:
    """Read the usage of a tenant.

    Args:
        prometheus: Where its metrics are.
        period: The period.
        tenant: Its name.
        anything: Ends of the steps in which Prometheus recorded any target; see `gaps`.

    Raises:
        CommandError: Prometheus does not answer, or refuses.
    """
    target = {"namespace": tenant, "job": service_name(tenant)}
    up = selector("up", **target)
    running = f"last_over_time({up}[{SCRAPE_SECONDS}s]) == 1"
    is_start_known = bool(prometheus.instant(f"last_over_time({up}[{STEP_SECONDS}s])", period.start))
    counters = Counters(prometheus, period, is_start_known=is_start_known)
    callers = _callers(counters, target)
    cpu = counters.increases(selector(_CPU, namespace=tenant, container=CONTAINER))
    cpu_seconds = sum(each.total for each in cpu.values()) if cpu else None
    _divide(cpu_seconds, callers)
    return TenantUsage(
        tenant=tenant,
        callers=callers,
        cpu_seconds=cpu_seconds,
        peak_pods=round(
            counters.peak(lambda seconds: f"max_over_time(count({running})[{seconds}s:{SCRAPE_SECONDS}s])")
        ),
        pods_ended=_pods_ended(counters, prometheus, period, target),
        failed_scrapes=round(
            counters.sum(lambda seconds: f"sum(count_over_time({up}[{seconds}s]) - sum_over_time({up}[{seconds}s]))")
        ),
        gaps=list(gaps(period, anything, recorded_steps(prometheus, period, up))),
    )


def anything_recorded(prometheus: Prometheus, period: Period) -> AbstractSet[int]:
    """The ends of the steps of a period in which Prometheus recorded any target."""
    return recorded_steps(prometheus, period, "up")


def tenants_with_samples(prometheus: Prometheus, period: Period) -> list[str]:
    """The tenants of which Prometheus has samples, also those that platform.yaml no longer lists."""
    return prometheus.label_values("namespace", contract.CALLER_REQUESTS, period.start, period.end)


def _callers(counters: Counters, target: dict[str, str]) -> list[CallerUsage]:
    found: dict[str, CallerUsage] = {}

    def of(name: str) -> CallerUsage:
        return found.setdefault(name, CallerUsage(caller=name))

    for (name,), count in counters.totals(selector(contract.CALLER_REQUESTS, **target), "caller").items():
        of(name).requests = round(count)
    for (name,), count in counters.totals(selector(contract.CALLER_TEXTS, **target), "caller").items():
        of(name).texts = round(count)
    for (name,), seconds in counters.totals(selector(contract.CALLER_SECONDS, **target), "caller").items():
        of(name).work_seconds = seconds
    rejected = counters.totals(selector(contract.CALLER_REJECTED, **target), "caller", "reason")
    for (name, reason), count in rejected.items():
        of(name).rejected[reason] = round(count)
    for (reason,), count in counters.totals(selector(contract.SHED, **target), "reason").items():
        if reason != contract.RATE_LIMIT and round(count):  # that is counted per caller
            of(UNKNOWN).rejected[reason] = round(count)
    return [found[name] for name in sorted(found)]


def _divide(cpu_seconds: float | None, callers: Sequence[CallerUsage]) -> None:
    """Divide the tenant's CPU time among its callers."""
    if cpu_seconds is None:
        return
    whole = sum(each.work_seconds for each in callers)
    for each in callers:
        each.cpu_seconds = cpu_seconds * each.work_seconds / whole if whole else 0.0


def _pods_ended(counters: Counters, prometheus: Prometheus, period: Period, target: dict[str, str]) -> int:
    """How many containers of the tenant no longer run: their pod ended, or was restarted."""
    requests = selector(contract.CALLER_REQUESTS, **target)
    restarts: dict[str, int] = {}
    for labels, increase in counters.increases(requests).items():
        pod = dict(labels).get("pod", "")
        restarts[pod] = max(restarts.get(pod, 0), increase.restarts)
    left = prometheus.instant(f"count by (pod) (last_over_time({requests}[{STEP_SECONDS}s]))", period.end)
    return len(restarts) - len(left) + sum(restarts.values())
