"""Names and labels that the packages and the installed charts share. Imports no other module of this project."""

from typing import Final

APP: Final = "ml-inference"
"""Name of the application: the label `app.kubernetes.io/name`, and the suffix of the names of a tenant's objects."""
SERVICE_SUFFIX: Final = f"-{APP}-svc"
PART_OF: Final = "tenantry"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""The label by which `tenantry apply` finds objects to prune."""
TENANT_LABEL: Final = "tenantry.dev/tenant"
"""The label by which objects of a tenant select each other. Argo CD, Flux and Kustomize change common labels, such as
`app.kubernetes.io/instance`, but not this one."""
PROMETHEUS_NEEDS: Final = "tenantry.dev/prometheus-needs"
"""Annotation of the monitoring namespace: what Prometheus needs for the tenants. `terraform/platform` reads it."""
MONITORING_NAMESPACE: Final = "monitoring"
"""Namespace of kube-prometheus-stack, and the only one that Grafana's dashboard sidecar reads."""
DASHBOARD_LABELS: Final = {"grafana_dashboard": "1"}
"""Label by which the sidecar finds ConfigMaps with dashboards."""
PROMETHEUS_POD_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
"""Labels of Prometheus's pods, set by the operator; the tenants' NetworkPolicies allow them."""
SCRAPE_SECONDS: Final = 30
SCRAPE_INTERVAL: Final = f"{SCRAPE_SECONDS}s"

OUTPUT_ENV: Final = "TENANTRY_OUTPUT"
IMAGE_ENV: Final = "TENANTRY_IMAGE"
MODEL_ENV: Final = "TENANTRY_MODEL"
"""How `tenantry synth` passes its options to a project's main.py."""
CACHE_ENV: Final = "TENANTRY_CACHE"
"""The folder of the manifests' cache, or `off`."""

PLATFORM_CHART: Final = "0-platform"
"""Name of the platform's file in `dist/`. It starts with a digit, and tenants' names with a letter, so that
`kubectl apply` takes this file first."""
SUFFIX: Final = ".k8s.yaml"
"""End of the names of the files in `dist/`."""


def object_name(tenant: str) -> str:
    """The name of a tenant's ServiceAccount, Deployment and all other objects without a name of their own."""
    return f"{tenant}-{APP}"


def members_name(tenant: str) -> str:
    """The name of the Role and the RoleBinding of a tenant's members."""
    return f"{tenant}-members"


def service_name(tenant: str) -> str:
    """The name of a tenant's Service, which is also the label `job` in Prometheus."""
    return f"{tenant}{SERVICE_SUFFIX}"


def selector(tenant: str) -> dict[str, str]:
    """The label that selects a tenant's pods, and its Service."""
    return {TENANT_LABEL: tenant}


def deployment_selector(tenant: str) -> dict[str, str]:
    """The labels that select the pods of a tenant's Deployment. They are immutable there: never change them."""
    return {"app.kubernetes.io/name": APP, "app.kubernetes.io/instance": tenant}


def labels(tenant: str) -> dict[str, str]:
    """The labels of every object of a tenant."""
    return {**added_labels(tenant), "app.kubernetes.io/component": "inference"}


def added_labels(tenant: str) -> dict[str, str]:
    """The labels of objects that a project adds to a tenant: all but the component."""
    return {**deployment_selector(tenant), **platform_labels(), **selector(tenant)}


def platform_labels() -> dict[str, str]:
    """The labels of every object that this project creates."""
    return {"app.kubernetes.io/part-of": PART_OF, MANAGED_BY: PART_OF}
