"""The API server's addresses, which no tenant may reach."""

from pathlib import Path

import pytest

from constructs_lib.isolated_tenant import IsolatedTenant, IsolatedTenantProps
from constructs_lib.platform import Platform, PlatformError
from tests.kube import by_kind, make_chart, objects_of


def load(folder: Path, addresses: str, egress: str = "[]") -> Platform:
    file = folder / "platform.yaml"
    file.write_text(
        "apiVersion: tenantry.dev/v1alpha1\n"
        f"platform: {{image: 'example/image:1', network: {{apiServerCidrs: {addresses}}}}}\n"
        f"tenants: [{{name: tenant-a, model: 's3://models/tenant-a/spam', egress: {egress}}}]\n"
    )
    return Platform.load(file)


@pytest.mark.parametrize("cidr", ["10.0.0.1/32", "10.0.0.0/24", "2001:db8::/64", "203.0.113.0/28"])
def test_rejects_egress_that_contains_the_api_server(tmp_path: Path, cidr: str) -> None:
    addresses = "['10.0.0.1/32', '2001:db8::9/128', '203.0.113.9/32']"
    with pytest.raises(PlatformError, match=r"(?s)egress\[0\]\.cidr.*must not overlap .*platform\.network keeps"):
        load(tmp_path, addresses, f"[{{cidr: '{cidr}', port: 6443}}]")


def test_egress_beside_the_api_server_is_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, "[10.0.0.1/32]", "[{cidr: 10.0.1.0/24, port: 5432}]").tenants[0].egress


def test_a_public_api_server_is_excluded_from_the_internet_and_a_private_one_is_already(tmp_path: Path) -> None:
    platform = load(tmp_path, "[203.0.113.9/32, 10.0.0.1/32]")
    chart = make_chart()
    IsolatedTenant(chart, "tenant", IsolatedTenantProps.from_platform(platform.tenants[0], platform.platform))
    policy = by_kind(objects_of(chart), "NetworkPolicy", "allow-world-https")
    excluded = policy["spec"]["egress"][0]["to"][0]["ipBlock"]["except"]
    assert "203.0.113.9/32" in excluded
    assert "10.0.0.1/32" not in excluded
    assert "10.0.0.0/8" in excluded
