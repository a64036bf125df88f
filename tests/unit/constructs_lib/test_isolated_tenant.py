"""IsolatedTenant, object by object."""

import ipaddress
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from constructs_lib import IsolatedTenant, IsolatedTenantProps, NetworkPeer, NetworkPort, PropsError
from constructs_lib.platform import Client, Dns, Gateway, Members, ModelStore, Monitoring, Network, Platform, Pods
from constructs_lib.platform.sidecars import SidecarLimits, SidecarRequests, Sidecars
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout
from tests.kube import Object, by_kind, make_chart, objects_of

MINIMAL = IsolatedTenantProps(name="tenant-a")
ALL = IsolatedTenantProps(
    name="tenant-x",
    resources=Resources.model_validate(
        {
            "requests": {"cpu": "0.5", "memory": "1Gi", "ephemeralStorage": "256Mi"},
            "limits": {"cpu": "1", "memory": "2Gi", "ephemeralStorage": "1Gi"},
        }
    ),
    autoscaling=Autoscaling(min_replicas=1, max_replicas=3),
    sidecars=Sidecars(
        requests=SidecarRequests(cpu="50m", memory="64Mi"), limits=SidecarLimits(cpu="2", memory="128Mi")
    ),
    rollout=Rollout(surge=2),
    quota=Quota(headroom_pods=1, pods=30),
    egress=(Egress(cidr="192.0.2.0/24", port=5432), Egress(cidr="2001:db8:9::/48", port=514, protocol="UDP")),
    monitoring=Monitoring(namespace="observability", prometheus_labels={"prometheus": "main"}),
    model_store=ModelStore(endpoint="https://s3.store.svc:9443", namespace="store", pod_labels={"app": "store"}),
    dns=Dns(namespace="names", pod_labels={"dns": "yes"}),
    network=Network(except_cidrs=("203.0.113.0/24", "2001:db8:1::/48")),
    clients=(Client(namespace="web", pod_labels={"app": "shop"}), Client(namespace="tenant-y")),
    gateway=Gateway(
        name="public",
        namespace="gateway",
        pod_namespace="envoy",
        pod_labels={"app": "envoy"},
        domain="example.com",
    ),
    shared_with=("tenant-y",),
    members=Members(groups=("team-x",)),
    pods=Pods(fixed_user=False),
    baseline=True,
)


def synth(props: IsolatedTenantProps) -> list[Object]:
    chart = make_chart()
    IsolatedTenant(chart, "tenant", props)
    return objects_of(chart)


def policies(objects: list[Object]) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "NetworkPolicy"}


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth(MINIMAL)


@pytest.fixture(scope="module")
def everything() -> list[Object]:
    return synth(ALL)


# --- minimal props ------------------------------------------------------------------------------------------------


def test_a_name_is_enough(minimal: list[Object]) -> None:
    assert [(each["kind"], each["metadata"]["name"]) for each in minimal] == [
        ("Namespace", "tenant-a"),
        ("ServiceAccount", "tenant-a-ml-inference"),
        ("Role", "tenant-a-ml-inference"),
        ("RoleBinding", "tenant-a-ml-inference"),
        ("ResourceQuota", "tenant-a-ml-inference"),
        ("LimitRange", "tenant-a-ml-inference"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "allow-same-namespace"),
        ("NetworkPolicy", "allow-prometheus"),
        ("NetworkPolicy", "allow-dns"),
        ("NetworkPolicy", "allow-model-store"),
        ("NetworkPolicy", "allow-world-https"),
    ]


def test_every_object_is_in_the_tenants_namespace_with_its_labels(minimal: list[Object]) -> None:
    for each in minimal:
        assert each["metadata"].get("namespace", "tenant-a") == "tenant-a"
        assert (
            each["metadata"]["labels"].items()
            >= {
                "app.kubernetes.io/name": "ml-inference",
                "app.kubernetes.io/instance": "tenant-a",
                "app.kubernetes.io/component": "inference",
                "app.kubernetes.io/part-of": "tenantry",
                "app.kubernetes.io/managed-by": "tenantry",
                "tenantry.dev/tenant": "tenant-a",
            }.items()
        )


@pytest.mark.parametrize("mode", ["enforce", "audit", "warn"])
def test_pod_security_is_restricted_at_a_pinned_version(minimal: list[Object], mode: str) -> None:
    labels = by_kind(minimal, "Namespace")["metadata"]["labels"]
    assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.30"


def test_pods_get_no_token_by_default(minimal: list[Object]) -> None:
    assert by_kind(minimal, "ServiceAccount")["automountServiceAccountToken"] is False


def test_the_role_may_only_get_and_list_pods_services_and_configmaps(minimal: list[Object]) -> None:
    rights = {
        (group, resource, verb)
        for rule in by_kind(minimal, "Role")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert rights == {("", what, verb) for what in ("pods", "services", "configmaps") for verb in ("get", "list")}
    assert not any("resourceNames" in rule or "nonResourceURLs" in rule for rule in by_kind(minimal, "Role")["rules"])


def test_the_role_is_bound_only_to_the_tenants_account(minimal: list[Object]) -> None:
    binding = by_kind(minimal, "RoleBinding")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": "tenant-a-ml-inference",
    }
    (subject,) = binding["subjects"]
    assert (subject["kind"], subject["namespace"], subject["name"]) == (
        "ServiceAccount",
        "tenant-a",
        "tenant-a-ml-inference",
    )


def test_the_quota_allows_maximum_surge_terminating_pods_and_headroom(minimal: list[Object]) -> None:
    assert by_kind(minimal, "ResourceQuota")["spec"]["hard"] == {
        "pods": "25",  # 10 + 1 + 10 + 4
        "requests.cpu": "6250m",
        "requests.memory": "6400Mi",
        "limits.cpu": "12500m",
        "limits.memory": "12800Mi",
        "requests.ephemeral-storage": "3200Mi",
        "limits.ephemeral-storage": "6400Mi",
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }


def test_no_pod_and_no_container_may_exceed_the_limits(minimal: list[Object]) -> None:
    limits = {"cpu": "500m", "ephemeral-storage": "256Mi", "memory": "512Mi"}
    requests = {"cpu": "250m", "ephemeral-storage": "128Mi", "memory": "256Mi"}
    assert by_kind(minimal, "LimitRange")["spec"]["limits"] == [
        {"type": "Container", "default": limits, "defaultRequest": requests, "max": limits},
        {"type": "Pod", "max": limits},
    ]


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
                "from": [_pods("monitoring", {"app.kubernetes.io/name": "prometheus"})],
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
                "to": [_pods("kube-system", {"k8s-app": "kube-dns"})],
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
                "to": [_pods("minio", {"app.kubernetes.io/name": "minio"})],
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
    assert _within(rule["to"], address) is reachable


# --- all props ----------------------------------------------------------------------------------------------------


def test_all_props_differ_from_the_defaults() -> None:
    """A new prop that this module does not set fails this test."""
    for each in fields(IsolatedTenantProps):
        assert getattr(ALL, each.name) != getattr(MINIMAL, each.name), each.name


def test_all_props_reach_the_objects(everything: list[Object]) -> None:
    found = policies(everything)
    assert by_kind(everything, "Namespace")["metadata"]["name"] == "tenant-x"
    assert by_kind(everything, "ResourceQuota")["spec"]["hard"] == {
        "pods": "30",
        "requests.cpu": "4950m",  # 3 + 2 + 3 + 1 pods
        "requests.memory": "9792Mi",
        "limits.cpu": "27",
        "limits.memory": "19584Mi",
        "requests.ephemeral-storage": "2880Mi",
        "limits.ephemeral-storage": "9792Mi",
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }
    assert by_kind(everything, "LimitRange")["spec"]["limits"][1]["max"] == {
        "cpu": "3",
        "ephemeral-storage": "1088Mi",
        "memory": "2176Mi",
    }
    assert found["allow-prometheus"]["ingress"][0]["from"] == [_pods("observability", {"prometheus": "main"})]
    assert found["allow-dns"]["egress"][0]["to"] == [_pods("names", {"dns": "yes"})]
    assert found["allow-model-store"]["egress"] == [
        {"to": [_pods("store", {"app": "store"})], "ports": [{"port": 9443, "protocol": "TCP"}]}
    ]
    world = found["allow-world-https"]["egress"][0]["to"]
    assert not _within(world, "203.0.113.10")
    assert not _within(world, "2001:db8:1::1")
    assert _within(world, "2001:db8:2::1")
    assert found["allow-egress-0"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
    ]
    assert found["allow-egress-1"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "2001:db8:9::/48"}}], "ports": [{"port": 514, "protocol": "UDP"}]}
    ]


def test_clients_may_connect_on_the_services_port(everything: list[Object]) -> None:
    assert policies(everything)["allow-clients"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    _pods("web", {"app": "shop"}),
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
        "ingress": [{"from": [_pods("envoy", {"app": "envoy"})], "ports": [{"port": 8000, "protocol": "TCP"}]}],
    }


def test_pods_may_connect_to_the_service_of_shared_tenants(everything: list[Object]) -> None:
    selector = {"tenantry.dev/tenant": "tenant-y"}
    assert policies(everything)["allow-shared-tenants"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"port": 8000, "protocol": "TCP"}], "to": [_pods("tenant-y", selector)]}],
    }


# --- overrides ----------------------------------------------------------------------------------------------------


def test_a_store_outside_the_cluster_gets_no_policy_of_its_own() -> None:
    store = ModelStore(endpoint="https://s3.example", namespace=None)
    assert "allow-model-store" not in policies(synth(replace(MINIMAL, model_store=store)))


@pytest.mark.parametrize(
    ("endpoint", "port"), [("http://store:9000", 9000), ("http://store", 80), ("https://store.example", 443)]
)
def test_the_stores_port_comes_from_its_endpoint(endpoint: str, port: int) -> None:
    found = policies(synth(replace(MINIMAL, model_store=ModelStore(endpoint=endpoint))))
    assert found["allow-model-store"]["egress"][0]["ports"][0]["port"] == port


def test_an_explicit_quota_is_kept_as_written() -> None:
    hard = by_kind(
        synth(replace(MINIMAL, quota=Quota(cpu="40", memory="20Gi", ephemeral_storage="30Gi"))), "ResourceQuota"
    )["spec"]["hard"]
    assert (hard["limits.cpu"], hard["limits.memory"], hard["pods"]) == ("40", "20Gi", "25")
    assert hard["limits.ephemeral-storage"] == "30Gi"


def test_a_tenant_of_platform_yaml_sets_every_prop() -> None:
    data = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {
            "baseline": True,
            "image": "a/b:1",
            **{
                name: getattr(ALL, prop).model_dump(by_alias=True)
                for name, prop in (
                    ("monitoring", "monitoring"),
                    ("modelStore", "model_store"),
                    ("dns", "dns"),
                    ("network", "network"),
                    ("pods", "pods"),
                    ("gateway", "gateway"),
                )
            },
        },
        "tenants": [
            {
                "name": ALL.name,
                "model": "file:model",
                "egress": [each.model_dump(by_alias=True) for each in ALL.egress],
                **{
                    name: getattr(ALL, name).model_dump(by_alias=True)
                    for name in ("resources", "sidecars", "autoscaling", "rollout", "quota", "members")
                },
                "clients": [each.model_dump(by_alias=True) for each in ALL.clients],
                "sharedWith": list(ALL.shared_with),
            },
            {
                "name": "tenant-y",
                "model": "file:model",
                "clients": [{"namespace": ALL.name}],
                "sharedWith": [ALL.name],
            },
        ],
    }
    platform = Platform.model_validate(data)
    assert IsolatedTenantProps.from_platform(platform.tenants[0], platform.platform) == ALL


# --- rejections ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"name": "Tenant"},
            r"'name' \('Tenant'\) must be a DNS label that starts with a letter.*; rename it, for example to 'tenant'",
        ),
        ({"name": "kube-x"}, r"'name' \('kube-x'\) must not be a name that is reserved"),
        ({"name": "a" * 47}, r"must have at most 46 characters"),
        (
            {"name": "observability", "monitoring": Monitoring(namespace="observability")},
            r"'name' \('observability'\) must not be a namespace",
        ),
        ({"clients": (Client(namespace="kube-system"),)}, r"'clients' \('kube-system'\) .*namespace of the cluster"),
        ({"clients": (Client(namespace="minio"),)}, r"'clients' \('minio'\) .*must not be a namespace of the cluster"),
        ({"name": "envoy", "gateway": ALL.gateway}, r"'name' \('envoy'\) must not be a namespace of the platform"),
        ({"clients": (Client(namespace="tenant-a"),)}, r"'clients' \('tenant-a'\) .*must be another namespace"),
        ({"quota": Quota(pods=24)}, r"'quota' .*must be at least 25.*; raise it to 25"),
        ({"quota": Quota(headroom_pods=0, pods=20)}, r"must be at least 21"),
        ({"quota": Quota(cpu="12")}, r"must be at least 12500m"),
        ({"quota": Quota(ephemeral_storage="1Gi")}, r"must be at least 6400Mi"),
        ({"quota": Quota(memory="1Gi")}, r"must be at least 12800Mi"),
        ({"quota": Quota(pods=25), "rollout": Rollout(surge=2)}, r"must be at least 26"),
        ({"quota": Quota(pods=25), "autoscaling": Autoscaling(max_replicas=11)}, r"must be at least 27"),
    ],
)
def test_rejects_invalid_props(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PropsError, match=message):
        replace(MINIMAL, **change)


# --- public attributes --------------------------------------------------------------------------------------------


def test_children_are_attributes() -> None:
    tenant = IsolatedTenant(make_chart(), "tenant", MINIMAL)
    assert tenant.props is MINIMAL
    assert tenant.name == tenant.namespace.name == "tenant-a"
    assert tenant.service_account.name == tenant.role.name == tenant.role_binding.name == "tenant-a-ml-inference"
    assert tenant.resource_quota.kind == "ResourceQuota"
    assert tenant.limit_range.kind == "LimitRange"
    assert sorted(tenant.network_policies) == sorted(policies(synth(MINIMAL)))
    assert tenant.labels["app.kubernetes.io/instance"] == "tenant-a"


def test_collections_are_returned_as_copies() -> None:
    tenant = IsolatedTenant(make_chart(), "tenant", MINIMAL)
    tenant.network_policies.clear()
    tenant.labels.clear()
    assert "default-deny" in tenant.network_policies
    assert tenant.labels["app.kubernetes.io/instance"] == "tenant-a"


# --- extension ----------------------------------------------------------------------------------------------------

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
        "ingress": [{"from": [_pods("gateway", {"app": "gateway"})], "ports": [{"port": 8000, "protocol": "TCP"}]}],
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


def _pods(namespace: str, labels: dict[str, str]) -> Object:
    having = [{"key": key, "operator": "In", "values": [value]} for key, value in labels.items()]
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchExpressions": having},
    }


def _within(peers: list[Object], address: str) -> bool:
    """Whether ipBlocks let an address through, as Kubernetes reads them."""
    ip = ipaddress.ip_address(address)
    return any(
        ip in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        and not any(ip in ipaddress.ip_network(each) for each in peer["ipBlock"].get("except", ()))
        for peer in peers
    )
