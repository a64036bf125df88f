"""The rules in dist/: promtool accepts them, and they are what `rule_groups` returns."""

from pathlib import Path

import pytest

from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.names import object_name, service_name
from constructs_lib.platform import Platform, Tenant
from tests.example_platform import EXAMPLE
from tests.rules import promtool
from tests.rules.unwrap import dist_rules, prometheus_rules

PLATFORM = Platform.load(EXAMPLE)


def test_unwrap_finds_rules_among_other_documents(tmp_path: Path) -> None:
    """Other kinds and empty documents are skipped; groups are returned unchanged."""
    (tmp_path / "a.yaml").write_text(
        "kind: Service\nmetadata: {namespace: a}\n---\n---\n"
        "kind: PrometheusRule\nmetadata: {namespace: a}\nspec: {groups: [{name: g, rules: []}]}\n"
    )
    assert list(prometheus_rules([tmp_path / "a.yaml"])) == [("a", [{"name": "g", "rules": []}])]


def test_every_tenant_has_rules() -> None:
    """One PrometheusRule per tenant of platform.yaml, and no other."""
    assert set(dist_rules()) == {tenant.name for tenant in PLATFORM.tenants}


@pytest.mark.parametrize("tenant", PLATFORM.tenants, ids=lambda tenant: tenant.name)
def test_promtool_accepts_the_rules(tenant: Tenant, tmp_path: Path) -> None:
    """`promtool check rules` finds no error and counts all rules."""
    groups = dist_rules()[tenant.name]
    result = promtool.check(groups, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{sum(len(group['rules']) for group in groups)} rules found" in result.stdout


@pytest.mark.parametrize("tenant", PLATFORM.tenants, ids=lambda tenant: tenant.name)
def test_dist_contains_the_generated_rules(tenant: Tenant) -> None:
    """So the other tests, which call `rule_groups`, also hold for dist/."""
    name = tenant.name
    wanted = rule_groups(
        name, service_name(name), object_name(name), object_name(name), tenant.alerts, runtime=tenant.runtime
    )
    assert dist_rules()[name] == wanted
