"""The rule groups of a tenant's PrometheusRule, as plain dictionaries; imports no jsii."""

from typing import Final

from constructs_lib.monitoring.objectives import TILE, objective_rules, page_rules, ticket_rules
from constructs_lib.monitoring.rule import MonitoredTenant, RuleGroup
from constructs_lib.monitoring.service_alerts import model_alerts, scrape_alerts, shed_alerts
from constructs_lib.monitoring.workload_alerts import pod_alerts, resource_alerts
from constructs_lib.platform.alerts import AlertSettings

CONTAINER: Final = "inference"
"""The container's name in a tenant's pods."""


def rule_groups(tenant: str, service: str, deployment: str, hpa: str, settings: AlertSettings) -> list[RuleGroup]:
    """`spec.groups` of a tenant's PrometheusRule.

    Args:
        tenant: the namespace.
        service: name of the Service that is scraped, which becomes the label `job`.
        deployment: name of the Deployment.
        hpa: name of the HorizontalPodAutoscaler.
        settings: objectives and thresholds.

    Returns:
        Groups in a fixed order. Rules are evaluated every minute, and those of tickets and of the model every 5
        minutes: often enough for alerts that are pending for minutes, and cheap enough for many tenants.
    """
    monitored = MonitoredTenant(
        name=tenant, service=service, deployment=deployment, hpa=hpa, container=CONTAINER, settings=settings
    )
    return [
        {"name": "inference-pages", "interval": "1m", "rules": [*objective_rules(monitored), *page_rules(monitored)]},
        {"name": "inference-tickets", "interval": TILE, "rules": list(ticket_rules(monitored))},
        {"name": "inference-service", "interval": "1m", "rules": [*scrape_alerts(monitored), *shed_alerts(monitored)]},
        {"name": "inference-model", "interval": "5m", "rules": list(model_alerts(monitored))},
        {
            "name": "inference-workload",
            "interval": "1m",
            "rules": [*pod_alerts(monitored), *resource_alerts(monitored)],
        },
    ]
