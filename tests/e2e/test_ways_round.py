"""Ways round the walls: what a tenant, or somebody with a foot in the cluster, might try."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e import pods
from tests.e2e.api import Account
from tests.e2e.cluster import Cluster, service, service_labels, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Source, Target
from tests.e2e.probes import Door, Place, Probes

pytestmark = pytest.mark.promise("ways-round")
THIEF = "e2e-thief"


@pytest.fixture
def thief(cluster: Cluster, platform: PlatformUnderTest, probes: Probes) -> Iterator[Place]:
    """A pod of the first tenant that carries every label of the second one's pods."""
    del probes
    own, other = platform.tenants[:2]
    labels = {**service_labels(other), "app.kubernetes.io/managed-by": "tenantry"}
    cluster.apply(pods.listener(THIEF, namespace=own, image=platform.image, labels=labels))
    cluster.wait_for_pods(own, [THIEF])
    yield Place(Source.OTHER_TENANT, own, THIEF, "", own)
    cluster.delete("pod", THIEF, "-n", own)


def _is_open(evidence: Evidence, probes: Probes, place: Place, host: str, *, port: int = 8000) -> bool:
    measured = probes.knock(place, Door(Target.POD, "tcp", host, port))
    evidence.count("ways-round", "TCP connections", len(measured.outcomes))
    return measured.is_open


def _inside(cluster: Cluster, tenant: str) -> Place:
    pod = cluster.ready_pods(tenant)[0]["metadata"]["name"]
    return Place(Source.SAME_TENANT, tenant, pod, "", tenant, "inference")


def test_foreign_labels_open_nothing(
    thief: Place, cluster: Cluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """A pod with another tenant's labels reaches its own tenant and not the other, and gets none of its traffic."""
    own, other = platform.tenants[:2]
    victim = cluster.ready_pods(other)[0]["status"]["podIP"]
    assert not _is_open(evidence, probes, thief, victim)
    assert _is_open(evidence, probes, thief, cluster.ready_pods(own)[0]["status"]["podIP"])
    assert _is_open(evidence, probes, _inside(cluster, other), victim), "the victim answers its own"
    address = cluster.kubectl.get("pod", THIEF, "-n", own)["status"]["podIP"]
    slices = cluster.items("endpointslices", "-n", other, "-l", f"kubernetes.io/service-name={service(other)}")
    behind = {ip for each in slices for endpoint in each["endpoints"] or () for ip in endpoint["addresses"]}
    assert victim in behind
    assert address not in behind


@pytest.mark.parametrize("borrowed", ["selector", "ExternalName", "EndpointSlice"])
def test_borrowed_service_leads_nowhere(
    borrowed: str, cluster: Cluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """A Service at home that selects, names or lists another tenant's pods does not lead to them."""
    own, other = platform.tenants[:2]
    victim = cluster.ready_pods(other)[0]["status"]["podIP"]
    name = f"e2e-borrowed-{borrowed.lower()}"
    try:
        cluster.apply(*_borrowed(borrowed, name, own, other, victim))
        assert not _is_open(evidence, probes, _inside(cluster, own), f"{name}.{own}.svc.cluster.local")
        assert _is_open(evidence, probes, _inside(cluster, own), service(own)), "its own Service answers"
        assert _is_open(evidence, probes, _inside(cluster, other), victim), "the victim answers its own"
    finally:
        cluster.delete("service,endpointslice", name, "-n", own)


def _borrowed(borrowed: str, name: str, own: str, other: str, victim: str) -> list[dict[str, Any]]:
    metadata: dict[str, Any] = {"name": name, "namespace": own}
    service_of: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    ports = [{"name": "http", "port": 8000}]
    if borrowed == "selector":
        return [{**service_of, "spec": {"selector": service_labels(other), "ports": ports}}]
    if borrowed == "ExternalName":
        target = f"{service(other)}.{other}.svc.cluster.local"
        return [{**service_of, "spec": {"type": "ExternalName", "externalName": target}}]
    labels = {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "e2e"}
    listed = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": labels},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [victim], "conditions": {"ready": True}}],
    }
    return [{**service_of, "spec": {"ports": ports}}, listed]


def test_host_network_is_refused_in_a_tenants_namespace(
    cluster: Cluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """Who sits on the host's network is behind every wall, so no tenant's pod may."""
    tenant = platform.tenants[0]
    pod = pods.restricted_pod("e2e-host", namespace=tenant, image=platform.image)
    assert cluster.try_create(pod, "--dry-run=server") == ""
    pod["spec"]["hostNetwork"] = True
    evidence.count("ways-round", "pods offered", 2)
    assert "hostNetwork=true" in cluster.try_create(pod, "--dry-run=server")


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_tenants_token_writes_no_policy(
    verb: str, cluster: Cluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """Policies add up: who may write one can open every wall, so the tenant's account may not."""
    tenant = platform.tenants[0]
    policies = f"/apis/networking.k8s.io/v1/namespaces/{tenant}/networkpolicies"
    open_all = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny" if verb == "update" else "e2e-open", "namespace": tenant},
        "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]},
    }
    method, path = {
        "create": ("POST", policies),
        "update": ("PUT", f"{policies}/default-deny"),
        "delete": ("DELETE", f"{policies}/default-deny"),
    }[verb]
    assert cluster.exists("networkpolicy", "default-deny", "-n", tenant)
    with closing(Account(cluster, tenant, workload(tenant))) as account:
        status, said = account.ask(method, f"{path}?dryRun=All", open_all)
    evidence.count("ways-round", "requests with the tenant's token")
    assert status == 403, said
