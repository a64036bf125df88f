"""Addresses in platform.yaml: the model store's, and the networks of egress."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform, PlatformError
from tests.unit.constructs_lib.platform.files import mistakes, platform_part, tenant, the_mistake, write


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "ftp://minio", "http://", "http://minio:0", "http://minio:x", "http://m/b"]
)
def test_rejects_an_invalid_endpoint(tmp_path: Path, endpoint: str) -> None:
    text = tenant().replace("tenants:", f"  modelStore: {{endpoint: '{endpoint}'}}\ntenants:")
    found = the_mistake(tmp_path, text)
    assert (found.field, found.rule) == (
        "platform.modelStore.endpoint",
        "must be the address of a server: http(s)://host[:port]",
    )


def test_rejects_credentials_in_an_endpoint_without_repeating_them(tmp_path: Path) -> None:
    path = write(tmp_path, platform_part("modelStore: {endpoint: 'http://user:secret@minio:9000'}"))
    with pytest.raises(PlatformError, match="must not contain credentials") as caught:
        Platform.load(path)
    assert "remove them; pods take the store's keys from the Secret model-store" in str(caught.value)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["minio", "null"])
def test_rejects_an_endpoint_in_another_namespace(tmp_path: Path, namespace: str) -> None:
    part = f"modelStore: {{endpoint: 'http://s3.store.svc.cluster.local:9000', namespace: {namespace}}}"
    found = the_mistake(tmp_path, platform_part(part))
    assert found.field == "platform.modelStore.endpoint"
    assert found.fix == "set modelStore.namespace to 'store', or correct the address"


@pytest.mark.parametrize(
    ("endpoint", "egress"),
    [
        ("https://10.0.0.9", "[]"),
        ("https://s3.example:9000", "[]"),
        ("http://s3.example", "[{cidr: 192.0.2.0/24, port: 443}]"),
        ("https://10.0.0.9", "[{cidr: 10.0.1.0/24, port: 443}]"),
        ("https://10.0.0.9", "[{cidr: 10.0.0.0/24, port: 443, protocol: UDP}]"),
    ],
)
def test_rejects_a_store_that_pods_cannot_reach(tmp_path: Path, endpoint: str, egress: str) -> None:
    part = f"modelStore: {{endpoint: '{endpoint}', namespace: null}}"
    found = the_mistake(tmp_path, platform_part(part, f"egress: {egress}"))
    assert found.field == "platform.modelStore.endpoint"
    assert found.rule.startswith("must be reachable, but the egress of tenant-a allows only public addresses")


@pytest.mark.parametrize(
    ("endpoint", "egress"),
    [
        ("https://s3.example", "[]"),
        ("https://192.31.196.1", "[]"),
        ("https://10.0.0.9", "[{cidr: 10.0.0.0/24, port: 443}]"),
        ("http://s3.example:9000", "[{cidr: 10.0.0.0/24, port: 9000}]"),
    ],
)
def test_accepts_a_store_that_pods_can_reach(tmp_path: Path, endpoint: str, egress: str) -> None:
    part = f"modelStore: {{endpoint: '{endpoint}', namespace: null}}"
    assert Platform.load(write(tmp_path, platform_part(part, f"egress: {egress}")))


@pytest.mark.parametrize("halves", [("0.0.0.0/1", "128.0.0.0/1"), ("'::/1'", "'8000::/1'")])
def test_rejects_egress_that_adds_up_to_every_address(tmp_path: Path, halves: tuple[str, str]) -> None:
    """One of several networks that cover every address contains a metadata address."""
    egress = ", ".join(f"{{cidr: {cidr}, port: 1}}" for cidr in halves)
    found = mistakes(tmp_path, tenant(f"egress: [{egress}]"))
    assert [each.rule for each in found if "must not contain" not in each.rule] == []


@pytest.mark.parametrize("cidr", ["169.254.169.254/32", "169.254.0.0/16", "100.64.0.0/10", "'fd00:ec2::/32'"])
def test_rejects_egress_to_a_metadata_address(tmp_path: Path, cidr: str) -> None:
    found = the_mistake(tmp_path, tenant(f"egress: [{{cidr: {cidr}, port: 80}}]"))
    assert found.field == "tenants[0].egress[0].cidr"
    assert "where clouds offer the node's credentials" in found.rule


def test_rejects_egress_to_networks_that_tenants_must_not_reach(tmp_path: Path) -> None:
    part = "network: {exceptCidrs: [198.51.100.0/24]}"
    found = the_mistake(tmp_path, platform_part(part, "egress: [{cidr: 198.51.100.128/25, port: 6443}]"))
    assert found.field == "tenants[0].egress[0].cidr"
    assert found.rule.startswith("must not overlap 198.51.100.0/24")


def test_egress_networks_are_judged_together(tmp_path: Path) -> None:
    """Networks that avoid the metadata addresses, and together are most of all addresses, are refused."""
    networks = ["0.0.0.0/2", "64.0.0.0/3", "192.0.0.0/3", "176.0.0.0/4", "224.0.0.0/3"]
    listed = ", ".join(f"{{cidr: {each}, port: 80}}" for each in networks)
    mistake = the_mistake(tmp_path, tenant(f"egress: [{listed}]\n"))
    assert mistake.field == "tenants[0].egress"
    assert "of all IPv4 addresses" in mistake.rule
    halved = ", ".join(f"{{cidr: {each}, port: 80}}" for each in networks[:2])
    assert len(Platform.load(write(tmp_path, tenant(f"egress: [{halved}]\n"))).tenants[0].egress) == 2
