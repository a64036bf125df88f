"""Names and labels that packages and the installed charts agree on, each defined once. Imports nothing of ours."""

from typing import Final

APP: Final = "ml-inference"
"""Name of the application: `app.kubernetes.io/name`, and the suffix of every object that a tenant is made of."""
SERVICE_SUFFIX: Final = f"-{APP}-svc"
PART_OF: Final = "tenantry"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""The label that pruning goes by."""
MONITORING_NAMESPACE: Final = "monitoring"
"""Where the chart is installed, and the only namespace that the dashboards' sidecar reads."""
DASHBOARD_LABELS: Final = {"grafana_dashboard": "1"}
"""Label by which the sidecar finds a ConfigMap with a dashboard."""
PROMETHEUS_POD_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
"""Labels that the operator gives Prometheus's pods: the tenants' NetworkPolicies let these in."""
SCRAPE_INTERVAL: Final = "30s"


def object_name(tenant: str) -> str:
    """The name of a tenant's ServiceAccount, Deployment and all that has no name of its own."""
    return f"{tenant}-{APP}"


def service_name(tenant: str) -> str:
    """The name of a tenant's Service, which is Prometheus's job label too."""
    return f"{tenant}{SERVICE_SUFFIX}"


def selector(tenant: str) -> dict[str, str]:
    """The labels that pods are selected by: immutable, so never more than these two."""
    return {"app.kubernetes.io/name": APP, "app.kubernetes.io/instance": tenant}


def labels(tenant: str) -> dict[str, str]:
    """The labels of everything that belongs to a tenant."""
    return {**selector(tenant), "app.kubernetes.io/component": "inference", **platform_labels()}


def platform_labels() -> dict[str, str]:
    """The labels of everything that this project makes."""
    return {"app.kubernetes.io/part-of": PART_OF, MANAGED_BY: PART_OF}
