"""The gateway and host names in platform.yaml: defaults, and the message for each refusal."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform
from tests.unit.constructs_lib.platform.files import mistakes, the_mistake, write

GATEWAY = "{name: public, namespace: gateway, podLabels: {app: envoy}, domain: models.example.com}"


def file(*tenants: str, gateway: str = GATEWAY) -> str:
    """A file with a gateway and these tenants: a name, and more keys."""
    entries = ""
    for each in tenants or ("tenant-a",):
        name, _, more = each.partition(" ")
        entries += f"  - {{name: {name}, model: 's3://models/{name}/spam'{f', {more}' if more else ''}}}\n"
    part = f"  gateway: {gateway}\n" if gateway else ""
    return f"apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: a/b:1.0\n{part}tenants:\n{entries}"


def test_a_tenants_host_name_is_its_name_in_the_domain(tmp_path: Path) -> None:
    text = file("tenant-a", "tenant-b hostname: spam.models.example.com", "tenant-c hostname: null")
    names = [each.hostname for each in Platform.load(write(tmp_path, text)).tenants]
    assert names == ["tenant-a.models.example.com", "spam.models.example.com", None]


def test_without_a_gateway_a_tenant_has_no_host_name(tmp_path: Path) -> None:
    (only,) = Platform.load(write(tmp_path, file(gateway=""))).tenants
    assert only.hostname is None


def test_the_gateways_pods_are_in_its_namespace_unless_another_is_named(tmp_path: Path) -> None:
    text = file(gateway=GATEWAY.replace("}, domain", "}, podNamespace: envoy-gateway-system, domain"))
    settings = Platform.load(write(tmp_path, text)).platform
    assert settings.gateway is not None
    assert settings.gateway.pods_in == "envoy-gateway-system"
    assert {"gateway", "envoy-gateway-system"} <= settings.namespaces


@pytest.mark.parametrize(
    ("tenants", "field", "rule"),
    [
        (("tenant-a hostname: a.example.com",), "hostname", "must be a name in the gateway's domain"),
        (("tenant-a hostname: models.example.com",), "hostname", "must be a name in the gateway's domain"),
        (("tenant-a hostname: evilmodels.example.com",), "hostname", "must be a name in the gateway's domain"),
        (("tenant-a hostname: '*.models.example.com'",), "hostname", "must be a host name"),
        (("tenant-a hostname: A.models.example.com",), "hostname", "must be a host name"),
        (("gateway",), "name", "must not be a namespace of the platform"),
        (("tenant-a 'clients': [{namespace: gateway}]",), "clients[0].namespace", "must not be a namespace of the"),
    ],
)
def test_rejects_an_invalid_tenant(tmp_path: Path, tenants: tuple[str, ...], field: str, rule: str) -> None:
    found = the_mistake(tmp_path, file(*tenants))
    assert found.field == f"tenants[0].{field}"
    assert found.rule.startswith(rule)


@pytest.mark.parametrize("other", ["tenant-a.models.example.com", "spam.models.example.com"])
def test_rejects_a_repeated_host_name(tmp_path: Path, other: str) -> None:
    first = "tenant-a" if other.startswith("tenant-a") else f"tenant-a hostname: {other}"
    found = the_mistake(tmp_path, file(first, f"tenant-b hostname: {other}"))
    assert (found.field, found.rule) == (
        "tenants[1].hostname",
        "must be unique, but tenants[0] has it too",
    )


def test_rejects_a_host_name_without_a_gateway(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, file("tenant-a hostname: a.example.com", gateway=""))
    assert (found.field, found.rule) == ("tenants[0].hostname", "requires platform.gateway")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("domain: models.example.com", "domain: Models"), "domain"),
        (("domain: models.example.com", "domain: '*.example.com'"), "domain"),
        ((", domain: models.example.com", ""), "domain"),
        (("podLabels: {app: envoy}", "podLabels: {}"), "podLabels"),
        (("podLabels: {app: envoy}", "podLabels: {app: -}"), "podLabels"),
        (("namespace: gateway", "namespace: tenant-a.x"), "namespace"),
    ],
)
def test_rejects_an_invalid_gateway(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    (found,) = mistakes(tmp_path, file(gateway=GATEWAY.replace(*change)))
    assert found.field == f"platform.gateway.{field}"


def test_rejects_a_gateway_in_a_tenants_namespace_by_its_pods_namespace(tmp_path: Path) -> None:
    text = file(gateway=GATEWAY.replace("}, domain", "}, podNamespace: tenant-a, domain"))
    assert the_mistake(tmp_path, text).rule == "must not be a namespace of the platform"
