"""The NetworkPolicies of IsolatedTenant, and those that a project adds."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from constructs_lib import IsolatedTenant, NetworkPeer, NetworkPort, PropsError
from constructs_lib.platform import ModelStore
from tests.kube import Object, make_chart, objects_of
from tests.unit.constructs_lib.tenants import ALL, MINIMAL, pods_peer, policies, synth, within


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth(MINIMAL)


@pytest.fixture(scope="module")
def everything() -> list[Object]:
    return synth(ALL)


def test_all_ingress_and_egress_is_denied_by_default(minimal: list[Object]) -> None:
    assert policies(minimal)["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_namespaces_own_pods_may_connect_on_the_services_port(minimal: list[Object]) -> None:
    port = {"port": 8000, "protocol": "TCP"}
    assert policies(minimal)["allow-same-namespace"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}], "ports": [port]}],
        "egress": [{"to": [{"podSelector": {}}], "ports": [port]}],
    }


def test_prometheus_is_the_only_peer_of_another_namespace_with_ingress(minimal: list[Object]) -> None:
    found = policies(minimal)
    assert found["allow-prometheus"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [pods_peer("monitoring", {"app.kubernetes.io/name": "prometheus"})],
                "ports": [{"port": 8000, "protocol": "TCP"}],
            }
        ],
    }
    assert {name for name, spec in found.items() if "ingress" in spec} == {"allow-same-namespace", "allow-prometheus"}


def test_pods_may_query_the_clusters_dns_servers(minimal: list[Object]) -> None:
    assert policies(minimal)["allow-dns"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [pods_peer("kube-system", {"k8s-app": "kube-dns"})],
                "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
            }
        ],
    }


def test_pods_may_connect_to_the_stores_api_port(minimal: list[Object]) -> None:
    assert policies(minimal)["allow-model-store"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [pods_peer("minio", {"app.kubernetes.io/name": "minio"})],
                "ports": [{"port": 9000, "protocol": "TCP"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("1.1.1.1", True),
        ("203.0.113.10", True),
        ("172.32.0.1", True),
        ("10.96.0.1", False),
        ("10.244.1.2", False),
        ("172.18.0.2", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("127.0.0.1", False),
        ("198.18.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address that must not be reached
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("2606:4700::1111", True),
        ("fd00:10:96::1", False),
        ("fe80::1", False),
        ("::1", False),
        ("ff02::1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("192.0.0.170", False),
        ("192.88.99.1", False),
        ("100::1", False),
        ("2001::1", False),
        ("2002:a00:1::", False),
        ("5f00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2a00:1450::1", True),
    ],
)
def test_only_public_addresses_are_reachable_on_port_443(minimal: list[Object], address: str, reachable: bool) -> None:  # noqa: FBT001
    spec = policies(minimal)["allow-world-https"]
    assert spec["policyTypes"] == ["Egress"]
    (rule,) = spec["egress"]
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]
    assert within(rule["to"], address) is reachable


def test_clients_may_connect_on_the_services_port(everything: list[Object]) -> None:
    assert policies(everything)["allow-clients"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    pods_peer("web", {"app": "shop"}),
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tenant-y"}}},
                ],
                "ports": [{"port": 8000, "protocol": "TCP"}],
            }
        ],
    }


def test_only_the_gateways_pods_may_connect_from_outside(everything: list[Object]) -> None:
    assert policies(everything)["allow-gateway"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [pods_peer("envoy", {"app": "envoy"})], "ports": [{"port": 8000, "protocol": "TCP"}]}],
    }


def test_pods_may_connect_to_the_service_of_shared_tenants(everything: list[Object]) -> None:
    selector = {"tenantry.dev/tenant": "tenant-y"}
    assert policies(everything)["allow-shared-tenants"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"port": 8000, "protocol": "TCP"}], "to": [pods_peer("tenant-y", selector)]}],
    }


def test_a_store_outside_the_cluster_gets_no_policy_of_its_own() -> None:
    store = ModelStore(endpoint="https://s3.example", namespace=None)
    assert "allow-model-store" not in policies(synth(replace(MINIMAL, model_store=store)))


@pytest.mark.parametrize(
    ("endpoint", "port"), [("http://store:9000", 9000), ("http://store", 80), ("https://store.example", 443)]
)
def test_the_stores_port_comes_from_its_endpoint(endpoint: str, port: int) -> None:
    found = policies(synth(replace(MINIMAL, model_store=ModelStore(endpoint=endpoint))))
    assert found["allow-model-store"]["egress"][0]["ports"][0]["port"] == port


GATEWAY = NetworkPeer.pods("gateway", {"app": "gateway"})
DATABASE = NetworkPeer.network("192.0.2.0/24", except_cidrs=["192.0.2.128/25"])


def test_allow_ingress_adds_a_policy_for_one_peer_and_its_ports() -> None:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", MINIMAL)
    tenant.allow_ingress("allow-gateway", GATEWAY, NetworkPort(8000))
    assert "allow-gateway" in tenant.network_policies
    assert policies(objects_of(chart))["allow-gateway"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [pods_peer("gateway", {"app": "gateway"})], "ports": [{"port": 8000, "protocol": "TCP"}]}],
    }


def test_allow_egress_adds_a_policy_for_one_peer_and_its_ports() -> None:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", MINIMAL)
    tenant.allow_egress("allow-database", DATABASE, NetworkPort(5432), NetworkPort(5433, "UDP"))
    assert policies(objects_of(chart))["allow-database"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}],
                "ports": [{"port": 5432, "protocol": "TCP"}, {"port": 5433, "protocol": "UDP"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "ports", "message"),
    [
        ("default-deny", (NetworkPort(8000),), r"'name' \('default-deny'\) must be unique"),
        ("Allow_All", (NetworkPort(8000),), r"'name' \('Allow_All'\) must be a DNS label"),
        ("allow-all", (), r"'ports' \(\) must not be empty"),
    ],
)
def test_rejects_an_invalid_policy(name: str, ports: tuple[NetworkPort, ...], message: str) -> None:
    tenant = IsolatedTenant(make_chart(), "tenant", MINIMAL)
    for allow in (tenant.allow_ingress, tenant.allow_egress):
        with pytest.raises(PropsError, match=message):
            allow(name, GATEWAY, *ports)


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: NetworkPeer.pods("Gateway", {"app": "a"}), "'namespace' \\('Gateway'\\) must be a DNS label"),
        (lambda: NetworkPeer.pods("gateway", {}), "'labels' .* must not be empty"),
        (lambda: NetworkPeer.network("192.0.2.1/24"), "'cidr' \\('192.0.2.1/24'\\) must be a network"),
        (lambda: NetworkPeer.network("0.0.0.0/0"), "must not be the whole address space"),
        (lambda: NetworkPort(0), "'number' \\(0\\) must be a port number"),
        (lambda: NetworkPort(65536), "must be a port number"),
    ],
)
def test_rejects_an_invalid_peer_or_port(create: Callable[[], object], message: str) -> None:
    with pytest.raises(PropsError, match=message):
        create()
