"""Clients in platform.yaml: what is accepted, and the message for each refusal."""

from pathlib import Path

import pytest

from constructs_lib.platform import Client, Platform
from inference.origins import RULE
from tests.unit.constructs_lib.platform.files import tenant, tenants, the_mistake, write


def two(first: str = "", second: str = "") -> str:
    """A file with two tenants, each with additional keys."""
    return tenants(
        f"name: tenant-a\nmodel: s3://models/tenant-a/spam\n{first}",
        f"name: tenant-b\nmodel: s3://models/tenant-b/spam\n{second}",
    )


def test_without_clients_a_tenant_has_none(tmp_path: Path) -> None:
    (only,) = Platform.load(write(tmp_path, tenant())).tenants
    assert (only.clients, only.shared_with) == ((), ())


def test_a_client_is_a_namespace_with_or_without_labels(tmp_path: Path) -> None:
    text = tenant("clients: [{namespace: web, podLabels: {app: shop}}, {namespace: batch}]")
    (only,) = Platform.load(write(tmp_path, text)).tenants
    assert only.clients == (Client(namespace="web", pod_labels={"app": "shop"}), Client(namespace="batch"))


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "metrics-server", "monitoring", "minio"])
def test_rejects_clients_in_namespaces_of_the_cluster_and_the_platform(tmp_path: Path, namespace: str) -> None:
    found = the_mistake(tmp_path, tenant(f"clients: [{{namespace: {namespace}}}]"))
    assert found.field == "tenants[0].clients[0].namespace"
    assert found.rule == "must not be a namespace of the cluster or the platform"


def test_rejects_clients_in_a_platform_namespace_with_another_name(tmp_path: Path) -> None:
    text = tenant("clients: [{namespace: observability}]").replace(
        "platform:\n", "platform:\n  monitoring: {namespace: observability}\n"
    )
    assert the_mistake(tmp_path, text).rule == "must not be a namespace of the cluster or the platform"


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ("clients: [{namespace: tenant-a}]", "clients[0].namespace", "must be another namespace"),
        ("clients: [{namespace: Web}]", "clients[0].namespace", "must be a DNS label"),
        ("clients: [{namespace: web}, {namespace: web}]", "clients[1]", "must not appear twice"),
        ("clients: [{namespace: web, podLabels: {a b: c}}]", "clients[0].podLabels", "must contain valid Kubernetes"),
        ("clients: [{namespace: web, podLabels: {a: -c}}]", "clients[0].podLabels", "must contain valid Kubernetes"),
        ("clients: [{podLabels: {a: c}}]", "clients[0].namespace", "is required"),
        ("sharedWith: [tenant-a]", "sharedWith[0]", "must be another tenant of this file"),
        ("sharedWith: [tenant-x]", "sharedWith[0]", "must be another tenant of this file"),
    ],
)
def test_rejects_an_invalid_client(tmp_path: Path, more: str, field: str, rule: str) -> None:
    found = the_mistake(tmp_path, tenant(more))
    assert found.field == f"tenants[0].{field}"
    assert found.rule.startswith(rule)


def test_another_tenants_namespace_is_accepted_if_both_agree(tmp_path: Path) -> None:
    text = two("clients: [{namespace: tenant-b}]", "sharedWith: [tenant-a]")
    one, other = Platform.load(write(tmp_path, text)).tenants
    assert one.clients[0].namespace == other.name
    assert other.shared_with == (one.name,)


def test_rejects_another_tenants_namespace_if_that_tenant_does_not_agree(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, two("clients: [{namespace: tenant-b}]"))
    assert found.field == "tenants[0].clients[0].namespace"
    assert found.rule == "must not be another tenant's namespace unless both agree, and tenant-b does not"
    assert found.fix == "add 'tenant-a' to sharedWith of tenant-b, or remove this client"


def test_rejects_a_shared_tenant_that_does_not_list_the_namespace(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, two("", "sharedWith: [tenant-a]"))
    assert found.field == "tenants[1].sharedWith[0]"
    assert found.fix == "add 'namespace: tenant-b' to clients of tenant-a, or remove this entry"


def test_rejects_a_repeated_shared_tenant(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, two("clients: [{namespace: tenant-b}]", "sharedWith: [tenant-a, tenant-a]"))
    assert (found.field, found.rule) == ("tenants[1].sharedWith[1]", "must not appear twice")


def test_limits_and_auth_come_from_defaults_and_can_be_removed(tmp_path: Path) -> None:
    text = two(second="auth: null\nlimits: {requestsPerSecond: 5, burst: 7, textsPerMinute: 60}").replace(
        "tenants:", "defaults: {auth: apiKeys, limits: {requestsPerSecond: 0.5, burst: 1}}\ntenants:", 1
    )
    one, other = Platform.load(write(tmp_path, text)).tenants
    assert (one.auth, other.auth) == ("apiKeys", None)
    assert one.limits is not None
    assert one.limits.settings() == {"limit_requests_per_second": "0.5", "limit_burst": "1"}
    assert other.limits is not None
    assert other.limits.settings() == {
        "limit_requests_per_second": "5",
        "limit_burst": "7",
        "limit_texts_per_minute": "60",
    }


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ("auth: password", "auth", "must be 'apiKeys'"),
        ("allowedOrigins: ['*']", "allowedOrigins", f"{RULE}, and '*' is not"),
        ("allowedOrigins: [https://a/]", "allowedOrigins", f"{RULE}, and 'https://a/' is not"),
        ("allowedOrigins: [https://a, https://a]", "allowedOrigins", "must not contain 'https://a' twice"),
        ("limits: {requestsPerSecond: 0, burst: 1}", "limits.requestsPerSecond", "must be greater than 0.0"),
        ("limits: {requestsPerSecond: .inf, burst: 1}", "limits.requestsPerSecond", "must be a finite number"),
        ("limits: {requestsPerSecond: 1}", "limits.burst", "is required"),
        ("limits: {requestsPerSecond: 1, burst: 0}", "limits.burst", "must be at least 1"),
        ("limits: {requestsPerSecond: 1, burst: 1, textsPerMinute: 0}", "limits.textsPerMinute", "must be at least 1"),
    ],
)
def test_rejects_invalid_limits_and_auth(tmp_path: Path, more: str, field: str, rule: str) -> None:
    found = the_mistake(tmp_path, tenant(more))
    assert found.field == f"tenants[0].{field}"
    assert found.rule == rule
