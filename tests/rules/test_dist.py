"""The rules that are shipped: what dist/ holds is what promtool accepts, and what the rules' code says."""

from pathlib import Path

import pytest

from constructs_lib.monitoring.alerts import rule_groups
from constructs_lib.names import object_name, service_name
from constructs_lib.platform import Platform, Tenant
from tests.rules import promtool
from tests.rules.unwrap import DIST, dist_rules, prometheus_rules

PLATFORM = Platform.load(DIST.parent / "platform.yaml")


def test_unwrap_finds_rules_among_other_documents(tmp_path: Path) -> None:
    """Other kinds and empty documents are left out; groups come back as they stand."""
    (tmp_path / "a.yaml").write_text(
        "kind: Service\nmetadata: {namespace: a}\n---\n---\n"
        "kind: PrometheusRule\nmetadata: {namespace: a}\nspec: {groups: [{name: g, rules: []}]}\n"
    )
    assert list(prometheus_rules([tmp_path / "a.yaml"])) == [("a", [{"name": "g", "rules": []}])]


def test_every_tenant_has_rules() -> None:
    """One PrometheusRule a tenant of platform.yaml, and none else."""
    assert set(dist_rules()) == {tenant.name for tenant in PLATFORM.tenants}


@pytest.mark.parametrize("tenant", PLATFORM.tenants, ids=lambda tenant: tenant.name)
def test_promtool_accepts_the_rules(tenant: Tenant, tmp_path: Path) -> None:
    """`promtool check rules` finds no error, and as many rules as there are."""
    groups = dist_rules()[tenant.name]
    result = promtool.check(groups, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{sum(len(group['rules']) for group in groups)} rules found" in result.stdout


@pytest.mark.parametrize("tenant", PLATFORM.tenants, ids=lambda tenant: tenant.name)
def test_dist_holds_what_the_code_says(tenant: Tenant) -> None:
    """The cases of the other tests, which ask the code, hold for dist/."""
    name = tenant.name
    wanted = rule_groups(name, service_name(name), object_name(name), object_name(name), tenant.alerts)
    assert dist_rules()[name] == wanted
