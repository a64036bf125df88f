"""What every Prometheus rule of a tenant has in common: its scope, its labels, its annotations."""

from dataclasses import dataclass
from typing import Any

from constructs_lib.platform.alerts import AlertSettings

Rule = dict[str, Any]
"""One entry of `spec.groups[].rules` of a PrometheusRule."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose rules these are: the names that select the tenant's series, and its thresholds."""

    tenant: str
    """Its namespace, which is the label `namespace` of all its series."""
    service: str
    """Its Service's name, which is the label `job` of what Prometheus scrapes there."""
    deployment: str
    hpa: str
    container: str
    settings: AlertSettings

    @property
    def target(self) -> dict[str, str]:
        """Labels of the tenant's own scraped series."""
        return {"namespace": self.tenant, "job": self.service}

    @property
    def inside(self) -> dict[str, str]:
        """Labels of the kubelet's and kube-state-metrics' series about the tenant's containers."""
        return {"namespace": self.tenant, "container": self.container}


def record(scope: Scope, name: str, expression: str) -> Rule:
    """A recording rule `level:metric:operations`; it carries the tenant even where its expression has no labels."""
    return {"record": name, "expr": expression, "labels": {"namespace": scope.tenant}}


def alert(
    scope: Scope,
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
        "labels": {"namespace": scope.tenant, "severity": severity, "tenant": scope.tenant} | (labels or {}),
        "annotations": {
            "summary": summary,
            "description": description,
            "runbook_url": f"{scope.settings.runbook}#{name.lower()}",
        },
    }
