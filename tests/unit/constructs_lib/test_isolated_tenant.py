"""IsolatedTenant, object by object."""

from dataclasses import fields, replace
from typing import Any

import pytest

from constructs_lib import IsolatedTenant, IsolatedTenantProps, PropsError
from constructs_lib.platform import Client, Monitoring, Platform
from constructs_lib.platform.workload import Autoscaling, Quota, Rollout
from tests.kube import Object, by_kind, make_chart
from tests.unit.constructs_lib.tenants import ALL, MINIMAL, pods_peer, policies, synth, within


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
    assert found["allow-prometheus"]["ingress"][0]["from"] == [pods_peer("observability", {"prometheus": "main"})]
    assert found["allow-dns"]["egress"][0]["to"] == [pods_peer("names", {"dns": "yes"})]
    assert found["allow-model-store"]["egress"] == [
        {"to": [pods_peer("store", {"app": "store"})], "ports": [{"port": 9443, "protocol": "TCP"}]}
    ]
    world = found["allow-world-https"]["egress"][0]["to"]
    assert not within(world, "203.0.113.10")
    assert not within(world, "2001:db8:1::1")
    assert within(world, "2001:db8:2::1")
    assert found["allow-egress-0"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
    ]
    assert found["allow-egress-1"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "2001:db8:9::/48"}}], "ports": [{"port": 514, "protocol": "UDP"}]}
    ]


# --- overrides ----------------------------------------------------------------------------------------------------


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
