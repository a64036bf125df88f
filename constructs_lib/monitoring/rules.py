"""The rule groups of a tenant's PrometheusRule, as plain dictionaries; imports no jsii."""

from collections.abc import Iterable
from typing import Final

from constructs_lib.monitoring.model_alerts import model_alerts
from constructs_lib.monitoring.objectives import FAST_PAGE, SLOW_PAGE, TILE, objective_rules, page_rules, ticket_rules
from constructs_lib.monitoring.rule import MonitoredTenant, Rule, RuleGroup
from constructs_lib.monitoring.service_alerts import scrape_alerts, shed_alerts
from constructs_lib.monitoring.workload_alerts import pod_alerts, resource_alerts
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.runtime import Runtime

CONTAINER: Final = "inference"
"""The container's name in a tenant's pods."""


def rule_groups(
    tenant: str, service: str, deployment: str, hpa: str, settings: AlertSettings, *, runtime: Runtime = "text"
) -> list[RuleGroup]:
    """`spec.groups` of a tenant's PrometheusRule.

    Args:
        tenant: the namespace.
        service: name of the Service that is scraped, which becomes the label `job`.
        deployment: name of the Deployment.
        hpa: name of the HorizontalPodAutoscaler.
        settings: objectives and thresholds.
        runtime: what runs the model.

    Returns:
        One group per interval, in a fixed order. Rules are evaluated every 1, 2 or 5 minutes: the shorter an alert is
        pending, the more often. Each evaluation costs CPU time, which adds up with many tenants, and so does a group.
    """
    monitored = MonitoredTenant(
        name=tenant,
        service=service,
        deployment=deployment,
        hpa=hpa,
        container=CONTAINER,
        settings=settings,
        runtime=runtime,
    )
    return [
        _group("1m", [*page_rules(monitored, FAST_PAGE), *scrape_alerts(monitored)]),
        _group(
            "2m",
            [
                *page_rules(monitored, SLOW_PAGE),
                *objective_rules(monitored),
                *shed_alerts(monitored),
                *pod_alerts(monitored),
                *resource_alerts(monitored),
            ],
        ),
        _group(TILE, [*ticket_rules(monitored), *model_alerts(monitored)]),
    ]


def _group(interval: str, rules: Iterable[Rule]) -> RuleGroup:
    return {"name": f"inference-{interval}", "interval": interval, "rules": list(rules)}
