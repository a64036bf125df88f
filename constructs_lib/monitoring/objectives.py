"""Recording rules and burn-rate alerts of a tenant's two objectives: availability and latency.

The four pairs of windows are those of the SRE workbook for 30 days: a page when 2 % of the month's budget goes in an
hour or 5 % in six, a ticket when 10 % goes in one day or three. The short window of each pair lets the alert end soon
after the burning does. Shed requests count for neither objective; they have an alert of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.promql import bound, percent, selector
from constructs_lib.monitoring.scope import Rule, Scope, alert, record
from inference import contract


@dataclass(frozen=True)
class Burn:
    """One pair of windows and the multiple of the budget's even pace that fires in both."""

    factor: float
    long: str
    short: str
    for_: str
    severity: str


BURNS: Final = (
    Burn(14.4, "1h", "5m", "2m", "critical"),
    Burn(6, "6h", "30m", "15m", "critical"),
    Burn(3, "1d", "2h", "1h", "warning"),
    Burn(1, "3d", "6h", "3h", "warning"),
)
SHORT_WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h")
LONG_WINDOWS: Final = ("1d", "3d")
SERVED: Final = "!=other"
"""The routes that predict; probes, scrapes and strangers' paths are no part of an objective."""


@dataclass(frozen=True)
class Objective:
    """What counts as bad, as what share of it is the budget, and how people call it."""

    alert: str
    metric: str
    """Middle part of the recorded names: `namespace:<metric>:ratio_rate5m`."""
    verb: str
    bad: str
    """PromQL of the bad requests' rate with `%(window)s` and `%(function)s` to fill in."""
    total: str
    budget: float
    runs_out: str

    def ratio(self, window: str) -> str:
        """The recorded share of bad requests in a window."""
        return f"namespace:{self.metric}:ratio_rate{window}"

    @property
    def budget_series(self) -> str:
        """The recorded budget, so that panels draw each tenant's own line."""
        return f"namespace:{self.metric}:budget"


FAILED: Final = "inference_requests_failed"
SLOW: Final = "inference_requests_slow"
LATENCY_LINE: Final = "namespace:inference_request_duration_seconds:objective"
"""Recorded: seconds that the latency objective allows."""


def objectives(scope: Scope) -> tuple[Objective, Objective]:
    """The two objectives of a tenant, with its own selectors and budgets."""
    target, limits = scope.target, scope.settings
    duration, served = contract.REQUEST_DURATION, {**target, "route": SERVED}
    answered = selector(contract.REQUESTS, **served, outcome="!=shed")
    failed = selector(contract.REQUESTS, **served, outcome="server_error")
    timed = selector(f"{duration}_count", **served)
    fast = selector(f"{duration}_bucket", **served, le=bound(limits.latency_threshold_seconds))

    def total(series: str) -> str:
        return f"sum by (namespace) (%(function)s({series}[%(window)s]))"

    return (
        Objective(
            alert="InferenceErrorBudgetBurn",
            metric=FAILED,
            verb="failed with a 5xx",
            bad=total(failed),
            total=total(answered),
            budget=round(1 - limits.availability_objective, 6),
            runs_out=f"{percent(limits.availability_objective)} availability",
        ),
        Objective(
            alert="InferenceLatencyBudgetBurn",
            metric=SLOW,
            verb=f"took longer than {limits.latency_threshold_seconds:g} s",
            bad=f"({total(timed)} - {total(fast)})",
            total=total(timed),
            budget=round(1 - limits.latency_objective, 6),
            runs_out=f"{percent(limits.latency_objective)} within {limits.latency_threshold_seconds:g} s",
        ),
    )


def recording_rules(scope: Scope, windows: tuple[str, ...]) -> Iterator[Rule]:
    """The share of bad requests in every window, and nothing (not NaN) where there was no request."""
    for objective in objectives(scope):
        for window in windows:
            filled = {"function": "rate", "window": window}
            expression = f"{objective.bad % filled} / ({objective.total % filled} > 0)"
            yield record(scope, objective.ratio(window), expression)


def line_rules(scope: Scope) -> Iterator[Rule]:
    """The objectives themselves as series, so that a panel draws each tenant's own lines."""
    for objective in objectives(scope):
        yield record(scope, objective.budget_series, f"vector({objective.budget:g})")
    yield record(scope, LATENCY_LINE, f"vector({scope.settings.latency_threshold_seconds:g})")


def burn_alerts(scope: Scope) -> Iterator[Rule]:
    """A page or a ticket when a budget goes too fast, in both windows, and by enough requests to mean it."""
    least = scope.settings.min_bad_requests
    for objective in objectives(scope):
        for burn in BURNS:
            threshold = round(burn.factor * objective.budget, 6)
            recorded = (selector(objective.ratio(window), namespace=scope.tenant) for window in (burn.long, burn.short))
            above = "\nand\n".join(f"{series} > {threshold:g}" for series in recorded)
            bad = objective.bad % {"function": "increase", "window": burn.long}
            yield alert(
                scope,
                objective.alert,
                f"{above}\nand\n{bad} >= {least}",
                severity=burn.severity,
                for_=burn.for_,
                summary=f"{scope.tenant} spends its error budget {burn.factor:g} times too fast "
                f"(objective: {objective.runs_out}).",
                description=f"{{{{ $value | humanizePercentage }}}} of the requests of the last {burn.long} "
                f"{objective.verb}; the threshold is {percent(threshold)}, {burn.factor:g} times the budget of "
                f"{percent(objective.budget)}, over {burn.long} and {burn.short}.",
                labels={"long": burn.long, "short": burn.short},
            )
