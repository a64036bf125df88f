"""Alerts about scraping and load shedding, computed from the service's own metrics."""

from collections.abc import Iterator
from typing import Final

from constructs_lib.monitoring.objectives import PREDICTION_ROUTES
from constructs_lib.monitoring.promql import percent, selector
from constructs_lib.monitoring.rule import MonitoredTenant, Rule, alert, record
from inference import contract

SHED_RATIO: Final = "namespace:inference_requests_shed:ratio_rate5m"
"""Recorded: share of requests shed because of load or shutdown; no sample where they are too few to matter."""


def scrape_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Pods that Prometheus cannot scrape, and metrics that are missing."""
    up = selector("up", **tenant.service_labels)
    down = f"count by (namespace) ({up} == 0) / count by (namespace) ({up})"
    minutes = tenant.settings.target_down_minutes
    yield alert(
        tenant,
        "InferenceTargetDown",
        f"{down} == 1",
        severity="critical",
        for_=f"{minutes}m",
        summary=f"Prometheus cannot scrape any pod of {tenant.name}.",
        description="{{ $value | humanizePercentage }} of the scrape targets have been down for "
        f"{minutes} minutes; the threshold is 100 %.",
    )
    yield alert(
        tenant,
        "InferenceTargetDown",
        f"{down} > 0",
        severity="warning",
        for_=f"{tenant.settings.not_ready_minutes}m",
        summary=f"Prometheus cannot scrape some pods of {tenant.name}.",
        description="{{ $value | humanizePercentage }} of the scrape targets have been down for "
        f"{tenant.settings.not_ready_minutes} minutes; the threshold is 0 %.",
    )
    yield alert(
        tenant,
        "InferenceMetricsAbsent",
        f"absent({selector(contract.REQUESTS, **tenant.service_labels)})",
        severity="critical",
        for_=f"{minutes}m",
        summary=f"Prometheus has no metrics of {tenant.name}.",
        description=f"0 series of {contract.REQUESTS} for {minutes} minutes; the threshold is 1. Until they are "
        "back, no alert that is computed from the service's metrics can fire.",
    )


def shed_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """The share of requests that were shed, where there are enough of them; a ticket and a page for it.

    A request above its caller's own limit does not count, neither as shed nor among all requests: it says nothing
    about the load, and one caller's many requests must not hide what the others experience.
    """
    shed = selector(contract.SHED, **tenant.service_labels, reason=f"!={contract.RATE_LIMIT}")
    answered = selector(contract.REQUESTS, **tenant.service_labels, route=PREDICTION_ROUTES, outcome="!=shed")
    shed_rate = f"sum by (namespace) (rate({shed}[5m]))"
    yield record(
        tenant,
        SHED_RATIO,
        f"{shed_rate} / ({shed_rate} + sum by (namespace) (rate({answered}[5m])))\n"
        f"and\nsum by (namespace) (increase({shed}[5m])) >= {tenant.settings.min_bad_requests}",
    )
    yield _shed(tenant, tenant.settings.shed_ratio, "warning")
    yield _shed(tenant, tenant.settings.shed_page_ratio, "critical")


def _shed(tenant: MonitoredTenant, threshold: float, severity: str) -> Rule:
    return alert(
        tenant,
        "InferenceRequestsShed",
        f"{selector(SHED_RATIO, namespace=tenant.name)} > {threshold:g}",
        severity=severity,
        for_="10m",
        summary=f"{tenant.name} sheds load: its pods refuse requests with 429.",
        description="{{ $value | humanizePercentage }} of the requests of the last 5 minutes were refused because of "
        f"load or shutdown; the threshold is {percent(threshold)}. Requests above a caller's own limit do not count.",
    )
