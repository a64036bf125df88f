"""The rule groups of a tenant's PrometheusRule, as plain dictionaries; imports no jsii."""

from typing import Final

from constructs_lib.monitoring.objectives import (
    LONG_WINDOWS,
    SHORT_WINDOWS,
    burn_rate_alerts,
    objective_rules,
    ratio_rules,
)
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
        Groups in a fixed order. Long windows are evaluated once per minute, all other groups at Prometheus's own
        interval.
    """
    monitored = MonitoredTenant(
        name=tenant, service=service, deployment=deployment, hpa=hpa, container=CONTAINER, settings=settings
    )
    return [
        {
            "name": "inference-objectives",
            "rules": [*objective_rules(monitored), *ratio_rules(monitored, SHORT_WINDOWS)],
        },
        {
            "name": "inference-objectives-long",
            "interval": "1m",
            "rules": list(ratio_rules(monitored, LONG_WINDOWS)),
        },
        {"name": "inference-burn", "rules": list(burn_rate_alerts(monitored))},
        {"name": "inference-service", "rules": [*scrape_alerts(monitored), *shed_alerts(monitored)]},
        {"name": "inference-model", "rules": list(model_alerts(monitored))},
        {"name": "inference-workload", "rules": [*pod_alerts(monitored), *resource_alerts(monitored)]},
    ]
