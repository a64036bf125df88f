"""Names of tenants in platform.yaml."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform
from tests.unit.constructs_lib.platform.files import tenant, tenants, the_mistake, write


@pytest.mark.parametrize("name", ["Tenant", "tenant_a", "1tenant", "-a", "a-", "a.b", "\u00e4", '""'])
def test_rejects_a_name_that_is_not_a_dns_label(tmp_path: Path, name: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: {name}\nmodel: file:model"))
    assert found.field == "tenants[0].name"
    assert "must be a DNS label that starts with a letter" in found.rule


@pytest.mark.parametrize(
    "name",
    [
        "cert-manager",
        "default",
        "ingress-nginx",
        "istio-system",
        "kube-a",
        "local-path-storage",
        "metrics-server",
        "minio",
        "monitoring",
        "openshift-a",
        "tenantry-e2e",
    ],
)
def test_a_reserved_name_is_refused(tmp_path: Path, name: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: {name}\nmodel: file:model"))
    assert (found.field, found.rule) == (
        "tenants[0].name",
        "must not be a name that is reserved for the cluster or the platform",
    )


def test_limits_the_length_of_a_name_to_what_derived_names_allow(tmp_path: Path) -> None:
    longest = "a" * 46
    assert Platform.load(write(tmp_path, tenant(name=longest))).tenants[0].name == longest
    found = the_mistake(tmp_path, tenants(f"name: {longest}a\nmodel: file:model"))
    assert found.rule == "must have at most 46 characters, so that '<name>-ml-inference-svc' is a DNS label"
    assert found.fix == "shorten it by 1"


def test_rejects_the_name_of_a_platform_namespace(tmp_path: Path) -> None:
    text = tenants("name: observability\nmodel: file:model").replace(
        "tenants:", "  monitoring: {namespace: observability}\ntenants:"
    )
    assert "must not be a namespace of the platform" in the_mistake(tmp_path, text).rule


def test_a_repeated_tenant_is_reported_at_the_later_place(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenants(*["name: a\nmodel: s3://models/a/m"] * 2))
    assert (found.line, found.field, found.value) == (7, "tenants[1].name", '"a"')
    assert found.rule == "must be unique, but tenants[0] has it too"
