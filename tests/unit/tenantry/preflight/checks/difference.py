"""A GKE-like cluster with one difference, and what a check finds there."""

from collections.abc import Callable
from typing import Any

from constructs_lib.platform import Platform
from tenantry.preflight.api import Api
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status
from tenantry.preflight.inspection import inspect
from tests.recorded_cluster import Document, RecordedCluster, recorded

OPERATOR = "/apis/monitoring.coreos.com/v1"
DAEMONSETS = "/apis/apps/v1/daemonsets"
RIGHT: dict[str, Any] = {
    "cluster": {"profile": "gke"},
    "monitoring": {"namespace": "observability", "objectLabels": {"release": "prom"}},
    "dns": {"addresses": ["169.254.20.10/32", "34.118.224.10/32"]},
}
"""Settings with which nothing is to be set on the unchanged cluster."""
RECEIVER = {"type": "slack", "channel": "#a", "secretName": "slack"}
Case = tuple[str, Callable[[Document], object], dict[str, Any], dict[str, Any], Status, str, dict[str, Any]]
"""Name of the check, the difference, settings, settings of the tenant, status, words of the finding, keys to set."""


def platform(settings: dict[str, Any], tenant: dict[str, Any]) -> Platform:
    """A platform that fits the unchanged cluster, apart from these settings."""
    document = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1", **RIGHT, **settings},
        "tenants": [{"name": "tenant-a", "model": "s3://models/tenant-a/spam", **tenant}],
    }
    return Platform.model_validate(document)


def findings(
    name: str,
    change: Callable[[Document], object] = lambda _: None,
    settings: dict[str, Any] | None = None,
    tenant: dict[str, Any] | None = None,
) -> list[Finding]:
    """What a check finds on the changed cluster."""
    cluster = recorded("gke")
    change(cluster)
    inspected = Inspected(api=Api(RecordedCluster(cluster)), platform=platform(settings or {}, tenant or {}))
    return [each.finding for each in inspect(inspected) if each.check.name == name]


def answer(address: str, found: Any) -> Callable[[Document], object]:
    """Another answer at an address."""
    return lambda cluster: cluster["get"].update({address: found})


def check(case: Case) -> None:
    """The finding has the status, names what was found, and names exactly the keys to set."""
    name, change, settings, tenant, status, says, keys = case
    (finding,) = findings(name, change, settings, tenant)
    assert finding.status is status
    assert says in finding.found + finding.fix
    assert {each.path.removeprefix("platform."): each.value for each in finding.settings} == keys
    assert finding.settings or finding.fix or finding.status in {Status.OK, Status.UNKNOWN} or name == "profile"
