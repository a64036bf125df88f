"""What all recording and alerting rules of a tenant have in common: selectors, labels and annotations."""

from dataclasses import dataclass
from typing import Any

from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.runtime import Runtime

Rule = dict[str, Any]
"""One recording or alerting rule: an entry of `spec.groups[].rules` of a PrometheusRule."""
RuleGroup = dict[str, Any]
"""One entry of `spec.groups` of a PrometheusRule."""


@dataclass(frozen=True, kw_only=True)
class MonitoredTenant:
    """The tenant that a rule is about: the names that select its series, and its thresholds."""

    name: str
    """Its namespace, which is the label `namespace` of all its series."""
    service: str
    """Name of its Service, which Prometheus sets as the label `job` of the scraped series."""
    deployment: str
    hpa: str
    container: str
    settings: AlertSettings
    runtime: Runtime = "text"
    """What runs its model; drift has different signals for texts and for records."""

    @property
    def service_labels(self) -> dict[str, str]:
        """Labels of the series that the tenant's own pods expose."""
        return {"namespace": self.name, "job": self.service}

    @property
    def container_labels(self) -> dict[str, str]:
        """Labels of the series of kube-state-metrics and cAdvisor about the tenant's containers."""
        return {"namespace": self.name, "container": self.container}


def record(tenant: MonitoredTenant, name: str, expression: str) -> Rule:
    """A recording rule named `level:metric:operations`; its label `namespace` is static."""
    return {"record": name, "expr": expression, "labels": {"namespace": tenant.name}}


def alert(
    tenant: MonitoredTenant,
    name: str,
    expression: str,
    *,
    severity: str,
    for_: str,
    summary: str,
    description: str,
    labels: dict[str, str] | None = None,
) -> Rule:
    """An alerting rule with the labels that routing, inhibition and silences rely on.

    `namespace` and `tenant` are static, so that they survive aggregation and `absent()`.
    """
    return {
        "alert": name,
        "expr": expression,
        "for": for_,
        "labels": {"namespace": tenant.name, "severity": severity, "tenant": tenant.name} | (labels or {}),
        "annotations": {
            "summary": summary,
            "description": description,
            "runbook_url": f"{tenant.settings.runbook}#{name.lower()}",
        },
    }
