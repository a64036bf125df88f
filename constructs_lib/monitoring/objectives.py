"""Recording rules and burn-rate alerts for a tenant's two objectives: availability and latency.

The four pairs of windows are those of the SRE workbook for a period of 30 days. A page fires when 2 % of the month's
error budget is spent within 1 h, or 5 % within 6 h; a ticket when 10 % is spent within one day, or within three. The
short window of each pair resolves the alert soon after the errors stop. Shed requests do not count against either
objective; they have an alert of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.promql import bound, percent, selector
from constructs_lib.monitoring.rule import MonitoredTenant, Rule, alert, record
from inference import contract


@dataclass(frozen=True)
class BurnRate:
    """A pair of windows, and the burn rate that both must exceed before the alert fires."""

    factor: float
    """Multiple of the rate that spends the budget in exactly 30 days."""
    long: str
    short: str
    for_: str
    severity: str


BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", "2m", "critical"),
    BurnRate(6, "6h", "30m", "15m", "critical"),
    BurnRate(3, "1d", "2h", "1h", "warning"),
    BurnRate(1, "3d", "6h", "3h", "warning"),
)
SHORT_WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h")
LONG_WINDOWS: Final = ("1d", "3d")
PREDICTION_ROUTES: Final = "!=other"
"""Matcher of the routes that predict. Probes, scrapes and unknown paths do not count."""

FAILED: Final = "inference_requests_failed"
SLOW: Final = "inference_requests_slow"
LATENCY_OBJECTIVE: Final = "namespace:inference_request_duration_seconds:objective"
"""Recorded: seconds that the latency objective allows."""


@dataclass(frozen=True)
class Objective:
    """An objective: which requests are bad, and the share of bad requests that it allows."""

    name: str
    """The objective as the alert's summary words it."""
    alert: str
    metric: str
    """Middle part of the recorded names: `namespace:<metric>:ratio_rate5m`."""
    bad_text: str
    """What happened to a bad request, as the alert's description words it."""
    bad_counters: tuple[str, ...]
    """Selectors: the bad requests are the first counter minus the others."""
    total_counter: str
    budget: float
    """Share of requests that may be bad."""

    def bad(self, function: str, window: str) -> str:
        """PromQL: `rate` or `increase` of the bad requests over a window, per namespace."""
        terms = [_sum(function, counter, window) for counter in self.bad_counters]
        return terms[0] if len(terms) == 1 else f"({' - '.join(terms)})"

    def total(self, function: str, window: str) -> str:
        """PromQL: `rate` or `increase` of all requests that count, over a window, per namespace."""
        return _sum(function, self.total_counter, window)

    def ratio_series(self, window: str) -> str:
        """Name of the recorded share of bad requests over a window."""
        return f"namespace:{self.metric}:ratio_rate{window}"

    @property
    def budget_series(self) -> str:
        """Name of the recorded budget."""
        return f"namespace:{self.metric}:budget"


def objectives(tenant: MonitoredTenant) -> tuple[Objective, Objective]:
    """The two objectives of a tenant, with its own selectors and budgets."""
    settings, duration = tenant.settings, contract.REQUEST_DURATION
    predictions = {**tenant.service_labels, "route": PREDICTION_ROUTES}
    threshold = settings.latency_threshold_seconds
    answered = selector(f"{duration}_count", **predictions)
    fast = selector(f"{duration}_bucket", **predictions, le=bound(threshold))
    return (
        Objective(
            name=f"{percent(settings.availability_objective)} availability",
            alert="InferenceErrorBudgetBurn",
            metric=FAILED,
            bad_text="failed with a 5xx",
            bad_counters=(selector(contract.REQUESTS, **predictions, outcome="server_error"),),
            total_counter=selector(contract.REQUESTS, **predictions, outcome="!=shed"),
            budget=round(1 - settings.availability_objective, 6),
        ),
        Objective(
            name=f"{percent(settings.latency_objective)} within {threshold:g} s",
            alert="InferenceLatencyBudgetBurn",
            metric=SLOW,
            bad_text=f"took longer than {threshold:g} s",
            bad_counters=(answered, fast),
            total_counter=answered,
            budget=round(1 - settings.latency_objective, 6),
        ),
    )


def objective_rules(tenant: MonitoredTenant) -> Iterator[Rule]:
    """The budgets and the latency objective as series, so that panels draw each tenant's own."""
    for objective in objectives(tenant):
        yield record(tenant, objective.budget_series, f"vector({objective.budget:g})")
    yield record(tenant, LATENCY_OBJECTIVE, f"vector({tenant.settings.latency_threshold_seconds:g})")


def ratio_rules(tenant: MonitoredTenant, windows: tuple[str, ...]) -> Iterator[Rule]:
    """The share of bad requests over each window; no sample (instead of NaN) where there was no request."""
    for objective in objectives(tenant):
        for window in windows:
            ratio = f"{objective.bad('rate', window)} / ({objective.total('rate', window)} > 0)"
            yield record(tenant, objective.ratio_series(window), ratio)


def burn_rate_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Pages and tickets: the burn rate is too high in both windows, and there are enough bad requests to tell."""
    for objective in objectives(tenant):
        for burn_rate in BURN_RATES:
            yield _burn_rate_alert(tenant, objective, burn_rate)


def _burn_rate_alert(tenant: MonitoredTenant, objective: Objective, burn_rate: BurnRate) -> Rule:
    long, short, factor = burn_rate.long, burn_rate.short, burn_rate.factor
    threshold = round(factor * objective.budget, 6)
    ratios = [selector(objective.ratio_series(window), namespace=tenant.name) for window in (long, short)]
    exceeded = "\nand\n".join(f"{ratio} > {threshold:g}" for ratio in ratios)
    return alert(
        tenant,
        objective.alert,
        f"{exceeded}\nand\n{objective.bad('increase', long)} >= {tenant.settings.min_bad_requests}",
        severity=burn_rate.severity,
        for_=burn_rate.for_,
        summary=f"{tenant.name} spends its error budget {factor:g} times too fast (objective: {objective.name}).",
        description=f"{{{{ $value | humanizePercentage }}}} of the requests of the last {long} {objective.bad_text}; "
        f"the threshold is {percent(threshold)}, {factor:g} times the budget of {percent(objective.budget)}, "
        f"over {long} and {short}.",
        labels={"long": long, "short": short},
    )


def _sum(function: str, counter: str, window: str) -> str:
    return f"sum by (namespace) ({function}({counter}[{window}]))"
