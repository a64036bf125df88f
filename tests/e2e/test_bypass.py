"""Attempts to bypass the isolation from a tenant's namespace or with a tenant's token."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e import pods
from tests.e2e.api import Account
from tests.e2e.cluster import LiveCluster, service, service_labels, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Source, Target
from tests.e2e.probes import Client, Endpoint, Probes

pytestmark = pytest.mark.promise("bypass")
MISLABELLED = "e2e-mislabelled"


@pytest.fixture
def mislabelled(cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes) -> Iterator[Client]:
    """A pod of the first tenant that has every label of the second tenant's pods."""
    del probes
    own, other = platform.tenants[:2]
    labels = {**service_labels(other), "app.kubernetes.io/managed-by": "tenantry"}
    cluster.apply(pods.listener(MISLABELLED, namespace=own, image=platform.image, labels=labels))
    cluster.wait_for_pods(own, [MISLABELLED])
    yield Client(Source.OTHER_TENANT, own, MISLABELLED, "", own)
    cluster.delete("pod", MISLABELLED, "-n", own)


def _is_open(evidence: Evidence, probes: Probes, client: Client, host: str, *, port: int = 8000) -> bool:
    measured = probes.connect(client, Endpoint(Target.POD, "tcp", host, port))
    evidence.count("bypass", "TCP connections", len(measured.outcomes))
    return measured.is_open


def _inside(cluster: LiveCluster, tenant: str) -> Client:
    pod = cluster.ready_pods(tenant)[0]["metadata"]["name"]
    return Client(Source.SAME_TENANT, tenant, pod, "", tenant, "inference")


def test_labels_of_another_tenant_have_no_effect(
    mislabelled: Client, cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """A pod with another tenant's labels reaches only its own tenant, and gets no traffic of the other one."""
    own, other = platform.tenants[:2]
    other_address = cluster.ready_pods(other)[0]["status"]["podIP"]
    assert not _is_open(evidence, probes, mislabelled, other_address)
    assert _is_open(evidence, probes, mislabelled, cluster.ready_pods(own)[0]["status"]["podIP"])
    assert _is_open(evidence, probes, _inside(cluster, other), other_address), (
        "the other tenant's pod answers its own tenant"
    )
    address = cluster.kubectl.get("pod", MISLABELLED, "-n", own)["status"]["podIP"]
    slices = cluster.items("endpointslices", "-n", other, "-l", f"kubernetes.io/service-name={service(other)}")
    behind = {ip for each in slices for endpoint in each["endpoints"] or () for ip in endpoint["addresses"]}
    assert other_address in behind
    assert address not in behind


@pytest.mark.parametrize("kind", ["selector", "ExternalName", "EndpointSlice"])
def test_borrowed_service_leads_nowhere(
    kind: str, cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """A Service that selects, names or lists another tenant's pods does not lead to them."""
    own, other = platform.tenants[:2]
    other_address = cluster.ready_pods(other)[0]["status"]["podIP"]
    name = f"e2e-indirect-{kind.lower()}"
    try:
        cluster.apply(*_indirect(kind, name, own, other, other_address))
        assert not _is_open(evidence, probes, _inside(cluster, own), f"{name}.{own}.svc.cluster.local")
        assert _is_open(evidence, probes, _inside(cluster, own), service(own)), "its own Service must answer"
        assert _is_open(evidence, probes, _inside(cluster, other), other_address), (
            "the other tenant's pod answers its own tenant"
        )
    finally:
        cluster.delete("service,endpointslice", name, "-n", own)


def _indirect(kind: str, name: str, own: str, other: str, other_address: str) -> list[dict[str, Any]]:
    metadata: dict[str, Any] = {"name": name, "namespace": own}
    manifest: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    ports = [{"name": "http", "port": 8000}]
    if kind == "selector":
        return [{**manifest, "spec": {"selector": service_labels(other), "ports": ports}}]
    if kind == "ExternalName":
        target = f"{service(other)}.{other}.svc.cluster.local"
        return [{**manifest, "spec": {"type": "ExternalName", "externalName": target}}]
    labels = {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "e2e"}
    listed = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": labels},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [other_address], "conditions": {"ready": True}}],
    }
    return [{**manifest, "spec": {"ports": ports}}, listed]


def test_host_network_is_refused_in_a_tenants_namespace(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """A pod on the host network bypasses every policy, so a tenant's pod cannot use it."""
    tenant = platform.tenants[0]
    pod = pods.restricted_pod("e2e-host", namespace=tenant, image=platform.image)
    assert cluster.try_create(pod, "--dry-run=server") == ""
    pod["spec"]["hostNetwork"] = True
    evidence.count("bypass", "pods offered", 2)
    assert "hostNetwork=true" in cluster.try_create(pod, "--dry-run=server")


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_tenants_token_cannot_change_policies(
    verb: str, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """Policies are additive: whoever can write one can allow everything, so the tenant's account cannot."""
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
    evidence.count("bypass", "requests with the tenant's token")
    assert status == 403, said
