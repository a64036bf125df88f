"""The checks, in the order of the report. To add one, write its function in `checks/` and a line here."""

from typing import Final

from tenantry.cluster.components import ENVOY_GATEWAY, KUBE_PROMETHEUS_STACK, METRICS_SERVER
from tenantry.preflight.check import Check
from tenantry.preflight.checks.capacity import check_capacity
from tenantry.preflight.checks.dns import check_dns
from tenantry.preflight.checks.image import check_image
from tenantry.preflight.checks.metrics import check_metrics
from tenantry.preflight.checks.monitoring import check_alertmanager, check_prometheus
from tenantry.preflight.checks.network import check_enforcement
from tenantry.preflight.checks.profile import check_profile
from tenantry.preflight.checks.rights import check_rights
from tenantry.preflight.checks.security import check_pod_security, check_user
from tenantry.preflight.checks.storage import check_storage
from tenantry.preflight.checks.version import check_baseline, check_crds, check_gateway, check_version

CHECKS: Final = (
    Check(name="version", title="Kubernetes", run=check_version),
    Check(name="profile", title="kind of cluster", run=check_profile),
    Check(name="rights", title="permissions", run=check_rights),
    Check(name="crds", title="CRDs", run=check_crds, installed_by=KUBE_PROMETHEUS_STACK),
    Check(name="gateway", title="Gateway API", run=check_gateway, installed_by=ENVOY_GATEWAY),
    Check(name="prometheus", title="Prometheus", run=check_prometheus, installed_by=KUBE_PROMETHEUS_STACK),
    Check(name="alertmanager", title="Alertmanager", run=check_alertmanager, installed_by=KUBE_PROMETHEUS_STACK),
    Check(name="metrics", title="metrics API", run=check_metrics, installed_by=METRICS_SERVER),
    Check(name="dns", title="DNS", run=check_dns),
    Check(name="network", title="NetworkPolicies", run=check_enforcement),
    Check(name="baseline", title="baseline", run=check_baseline),
    Check(name="podSecurity", title="Pod Security", run=check_pod_security),
    Check(name="user", title="UID of pods", run=check_user),
    Check(name="storage", title="storage class", run=check_storage),
    Check(name="capacity", title="capacity", run=check_capacity),
    Check(name="image", title="image", run=check_image),
)
