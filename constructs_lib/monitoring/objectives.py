"""Recording rules and burn-rate alerts for a tenant's two objectives: availability and latency.

The four pairs of windows are those of the SRE workbook for a period of 30 days. A page fires when 2 % of the month's
error budget is spent within 1 h, or 5 % within 6 h; a ticket when 10 % is spent within one day, or within three. The
short window of each pair resolves the alert soon after the errors stop. Shed requests do not count against either
objective; they have an alert of their own.

Windows of up to 1 h are computed from the scraped counters. Longer windows would read up to 8,640 samples of every
counter, so they are sums of recorded tiles: the requests of 5 minutes each.

Reading counters is most of the rules' cost. So what the fast page needs twice, the rate of all requests over its long
window, is recorded, and the number of bad requests is derived from it.
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


FAST_PAGE: Final = BurnRate(14.4, "1h", "5m", "2m", "critical")
SLOW_PAGE: Final = BurnRate(6, "6h", "30m", "15m", "critical")
TICKETS: Final = (BurnRate(3, "1d", "2h", "1h", "warning"), BurnRate(1, "3d", "6h", "3h", "warning"))
BURN_RATES: Final = (FAST_PAGE, SLOW_PAGE, *TICKETS)
TICKET_WINDOWS: Final = ("2h", "1d", "3d")
"""Windows of the tickets that no page has; the 6 h of a ticket are recorded with the slow page."""
TILED_WINDOWS: Final = ("2h", "6h", "1d", "3d")
"""Windows that are computed from tiles."""
TILE: Final = "5m"
"""The part of time that a tile covers, and the interval of the group that records it."""
TILE_SECONDS: Final = 300
TILE_RANGE: Final = "329s"
"""Range of a tile's rate: almost one scrape interval (30 s) longer than the tile. It begins with the last sample of the
tile before, and each request is counted in exactly one tile."""
MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60}
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
    total_metric: str
    """Middle part of the recorded name of all requests that count."""
    budget: float
    """Share of requests that may be bad."""

    def bad(self, function: str, window: str) -> str:
        """PromQL: `rate` or `increase` of the bad requests over a window, per namespace."""
        terms = [_sum(function, counter, window) for counter in self.bad_counters]
        return terms[0] if len(terms) == 1 else f"({' - '.join(terms)})"

    def share(self, window: str, total: str) -> str:
        """PromQL: the share of bad requests over a window; no sample (instead of NaN) where there was no request.

        Args:
            window: the window.
            total: PromQL of the rate of all requests over the window.
        """
        if self.bad_counters[0] == self.total_counter:  # the total minus the good ones: it is not read a second time
            return f"1 - {_sum('rate', self.bad_counters[1], window)} / ({total} > 0)"
        return f"{self.bad('rate', window)} / ({total} > 0)"

    def total(self, function: str, window: str) -> str:
        """PromQL: `rate` or `increase` of all requests that count, over a window, per namespace."""
        return _sum(function, self.total_counter, window)

    @property
    def bad_tile(self) -> str:
        """Name of the recorded number of bad requests per tile."""
        return f"namespace:{self.metric}:increase{TILE}"

    @property
    def total_tile(self) -> str:
        """Name of the recorded number of requests that count, per tile."""
        return f"namespace:{self.total_metric}:increase{TILE}"

    def total_series(self, window: str) -> str:
        """Name of the recorded rate of all requests that count, over a window."""
        return f"namespace:{self.total_metric}:rate{window}"

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
            total_metric="inference_requests_answered",
            budget=round(1 - settings.availability_objective, 6),
        ),
        Objective(
            name=f"{percent(settings.latency_objective)} within {threshold:g} s",
            alert="InferenceLatencyBudgetBurn",
            metric=SLOW,
            bad_text=f"took longer than {threshold:g} s",
            bad_counters=(answered, fast),
            total_counter=answered,
            total_metric="inference_requests_timed",
            budget=round(1 - settings.latency_objective, 6),
        ),
    )


def objective_rules(tenant: MonitoredTenant) -> Iterator[Rule]:
    """The budgets and the latency objective as series, so that panels draw each tenant's own."""
    for objective in objectives(tenant):
        yield record(tenant, objective.budget_series, f"vector({objective.budget:g})")
    yield record(tenant, LATENCY_OBJECTIVE, f"vector({tenant.settings.latency_threshold_seconds:g})")


def page_rules(tenant: MonitoredTenant, page: BurnRate) -> Iterator[Rule]:
    """The ratios of a page's windows, and the page, for each objective."""
    for objective in objectives(tenant):
        if page.long not in TILED_WINDOWS:
            yield record(tenant, objective.total_series(page.long), objective.total("rate", page.long))
    yield from _burn_rate_rules(tenant, (page.short, page.long), (page,))


def ticket_rules(tenant: MonitoredTenant) -> Iterator[Rule]:
    """The tiles, the ratios of the tickets' windows, and the tickets; to be evaluated once per tile."""
    for objective in objectives(tenant):
        yield from _tile_rules(tenant, objective)
    yield from _burn_rate_rules(tenant, TICKET_WINDOWS, TICKETS)


def _burn_rate_rules(
    tenant: MonitoredTenant, windows: tuple[str, ...], burn_rates: tuple[BurnRate, ...]
) -> Iterator[Rule]:
    for objective in objectives(tenant):
        yield from (_ratio(tenant, objective, window) for window in windows)
        yield from (_burn_rate_alert(tenant, objective, burn_rate) for burn_rate in burn_rates)


def _ratio(tenant: MonitoredTenant, objective: Objective, window: str) -> Rule:
    """The share of bad requests over a window; no sample (instead of NaN) where there was no request."""
    if window in TILED_WINDOWS:
        bad, total = (sum_of_tiles(tenant, tile, window) for tile in (objective.bad_tile, objective.total_tile))
        share = f"{bad} / ({total} > 0)"
    elif window == FAST_PAGE.long:
        share = objective.share(window, selector(objective.total_series(window), namespace=tenant.name))
    else:
        share = objective.share(window, objective.total("rate", window))
    return record(tenant, objective.ratio_series(window), share)


def _tile_rules(tenant: MonitoredTenant, objective: Objective) -> Iterator[Rule]:
    """The number of bad requests, and of all that count, since the tile before."""
    yield record(tenant, objective.bad_tile, f"{objective.bad('rate', TILE_RANGE)} * {TILE_SECONDS}")
    yield record(tenant, objective.total_tile, f"{objective.total('rate', TILE_RANGE)} * {TILE_SECONDS}")


def sum_of_tiles(tenant: MonitoredTenant, tile: str, window: str) -> str:
    """Requests over a window. The range is 2 minutes shorter, so that it never includes one tile too many."""
    minutes = int(window[:-1]) * MINUTES[window[-1]]
    return f"sum_over_time({selector(tile, namespace=tenant.name)}[{minutes - 2}m])"


def _burn_rate_alert(tenant: MonitoredTenant, objective: Objective, burn_rate: BurnRate) -> Rule:
    long, short, factor = burn_rate.long, burn_rate.short, burn_rate.factor
    threshold = round(factor * objective.budget, 6)
    ratios = [selector(objective.ratio_series(window), namespace=tenant.name) for window in (long, short)]
    exceeded = "\nand\n".join(f"{ratio} > {threshold:g}" for ratio in ratios)
    if long in TILED_WINDOWS:
        bad = sum_of_tiles(tenant, objective.bad_tile, long)
    else:
        bad = f"{ratios[0]} * {selector(objective.total_series(long), namespace=tenant.name)} * {_seconds(long)}"
    return alert(
        tenant,
        objective.alert,
        f"{exceeded}\nand\n{bad} >= {tenant.settings.min_bad_requests}",
        severity=burn_rate.severity,
        for_=burn_rate.for_,
        summary=f"{tenant.name} spends its error budget {factor:g} times too fast (objective: {objective.name}).",
        description=f"{{{{ $value | humanizePercentage }}}} of the requests of the last {long} {objective.bad_text}; "
        f"the threshold is {percent(threshold)}, {factor:g} times the budget of {percent(objective.budget)}, "
        f"over {long} and {short}.",
        labels={"long": long, "short": short},
    )


def _seconds(window: str) -> int:
    return int(window[:-1]) * MINUTES[window[-1]] * 60


def _sum(function: str, counter: str, window: str) -> str:
    return f"sum by (namespace) ({function}({counter}[{window}]))"
