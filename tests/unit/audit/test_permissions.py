"""Who may do what, as the API server's RBAC authorizer decides it, and what follows from it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit import ReadError, read
from audit.model.permissions import PolicyRule, Request
from audit.permissions import Permissions, groups_of
from audit.permissions.catalog import CONSEQUENCES
from audit.permissions.consequences import of_rule
from tenantry.cli import app
from tests.example_platform import example_dist
from tests.unit.audit.roles import account, binding, role

ALICE = "alice"
WORKER = "system:serviceaccount:shop:worker"


def permissions(tmp_path: Path, *texts: str) -> Permissions:
    file = tmp_path / "roles.yaml"
    file.write_text("".join(texts))
    return read.objects([file], details=True).permissions


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "permissions", *map(str, arguments)])


def can(found: Permissions, user: str, verb: str, resource: str, namespace: str = "shop", **more: str) -> bool:
    request = Request(verb=verb, resource=resource, namespace=namespace, **more)
    return found.allows(user, groups_of(user), request) is not None


def test_a_role_binding_gives_a_cluster_role_in_its_own_namespace_only(tmp_path: Path) -> None:
    found = permissions(
        tmp_path, role("reader", "get", "pods"), binding("give", "ClusterRole", "reader", "User", ALICE, "shop")
    )
    assert can(found, ALICE, "get", "pods")
    assert not can(found, ALICE, "get", "pods", "other")
    assert not can(found, ALICE, "list", "pods")
    assert not can(found, "bob", "get", "pods")


def test_a_binding_to_a_group_of_accounts_reaches_each_account_of_it(tmp_path: Path) -> None:
    found = permissions(
        tmp_path,
        role("reader", "get", "pods"),
        binding("give", "ClusterRole", "reader", "Group", "system:serviceaccounts:shop", "shop"),
    )
    assert can(found, WORKER, "get", "pods")
    assert not can(found, "system:serviceaccount:other:worker", "get", "pods")
    assert not can(found, ALICE, "get", "pods")


def test_a_binding_may_name_an_account_as_a_user(tmp_path: Path) -> None:
    found = permissions(
        tmp_path, role("reader", "get", "pods"), binding("give", "ClusterRole", "reader", "User", WORKER, "shop")
    )
    assert can(found, WORKER, "get", "pods")


def test_an_aggregated_role_has_the_rules_of_the_roles_that_it_selects_instead_of_its_own(tmp_path: Path) -> None:
    aggregated = """\
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: all}
        aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
        rules: [{verbs: [delete], apiGroups: [""], resources: [pods]}]
        """
    found = permissions(
        tmp_path,
        role("reader", "get", "pods", labels='{part: "yes"}'),
        role("other", "create", "pods"),
        "\n".join(line[8:] for line in aggregated.splitlines()) + "\n",
        binding("give", "ClusterRole", "all", "User", ALICE),
    )
    assert can(found, ALICE, "get", "pods")
    assert not can(found, ALICE, "delete", "pods")
    assert not can(found, ALICE, "create", "pods")


def test_names_of_objects_limit_a_rule_and_make_creating_impossible(tmp_path: Path) -> None:
    found = permissions(
        tmp_path,
        role("one", "[get, create]", "secrets", more=", resourceNames: [key]"),
        binding("give", "ClusterRole", "one", "User", ALICE),
    )
    assert can(found, ALICE, "get", "secrets", name="key")
    assert not can(found, ALICE, "get", "secrets", name="other")
    rule = found.grants[0].rule
    assert rule.may_allow("get", "", "secrets")
    assert not rule.may_allow("create", "", "secrets")


def test_a_wildcard_resource_includes_subresources_and_a_plain_one_does_not(tmp_path: Path) -> None:
    plain = PolicyRule(("create",), ("",), ("pods",))
    assert not plain.allows(Request(verb="create", resource="pods", subresource="exec"))
    for resource in ("*", "pods/exec", "*/exec"):
        rule = PolicyRule(("create",), ("",), (resource,))
        assert rule.allows(Request(verb="create", resource="pods", subresource="exec")), resource
    del tmp_path


def test_a_binding_to_a_role_that_does_not_exist_is_named_and_gives_nothing(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(binding("give", "Role", "absent", "User", ALICE, "shop"))
    result = run(file)
    assert result.exit_code == 0, result.output
    expected = "RoleBinding shop/give gives Role absent, which the input does not hold"
    assert f"note: {expected} ({file}:2)" in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (role("bad", "[]", "pods"), "the rule has no verbs"),
        (role("bad", "get", "pods", groups="[]"), "the rule has no apiGroups"),
        (role("bad", "get", "pods", more=", nonResourceURLs: [/metrics]"), "about resources and about paths"),
        (binding("bad", "Node", "one", "User", ALICE), "the kind 'Node' is wrong here"),
        (binding("bad", "ClusterRole", "one", "Robot", ALICE), "the kind 'Robot' is wrong here"),
        (binding("bad", "ClusterRole", "one", "ServiceAccount", "worker"), "has no namespace"),
    ],
)
def test_what_the_api_server_rejects_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(text)
    with pytest.raises(ReadError, match=message) as error:
        read.objects([file], details=True)
    assert error.value.problems[0].line >= 2


def test_every_consequence_follows_from_each_of_its_requests_and_from_nothing_less() -> None:
    for each in CONSEQUENCES:
        assert each.source.startswith("https://")
        for verbs, group, resource, part in each.requests:
            name = f"{resource}/{part}" if part else resource
            for verb in verbs:
                assert each.follows_from(PolicyRule((verb,), (group,), (name,))), (each.name, verb, name)
            assert not each.follows_from(PolicyRule(("observe",), (group,), (name,))), each.name
            assert not each.follows_from(PolicyRule(verbs, ("example.org",), (name,))), each.name


def test_an_unlimited_rule_is_one_consequence_and_worse_for_the_whole_cluster() -> None:
    unlimited = PolicyRule(("*",), ("*",), ("*",))
    assert [each.name for each, _severity in of_rule(unlimited, cluster_wide=True)] == ["administers"]
    secrets = PolicyRule(("get",), ("",), ("secrets",))
    assert [severity for _each, severity in of_rule(secrets, cluster_wide=False)] == ["high"]
    assert [severity for _each, severity in of_rule(secrets, cluster_wide=True)] == ["critical"]


def test_the_report_shows_tenants_with_the_same_permissions_once() -> None:
    result = run(example_dist())
    assert result.exit_code == 0, result.output
    assert "system:serviceaccount:*:*-ml-inference: 2 holders" in result.stdout
    assert "in its own namespace" in result.stdout
    assert "0 consequences" in result.stdout


def test_the_report_names_consequence_rule_and_line(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(
        account("worker")
        + role("keys", "get", "secrets")
        + binding("give", "ClusterRole", "keys", "ServiceAccount", "worker", "shop", subject_namespace="shop")
    )
    result = run(file)
    assert "high: reads-secrets in its own namespace: reads Secrets" in result.stdout
    assert f"{file}:9" in result.stdout
    sarif = run(file, "--format", "sarif").stdout
    assert '"ruleId": "reads-secrets"' in sarif
    assert "security-severity" in sarif


def test_who_can_separates_the_input_from_the_defaults_of_a_cluster(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(role("keys", "get", "secrets") + binding("give", "ClusterRole", "keys", "User", ALICE, "shop"))
    shop = run(file, "--who-can", "get", "secrets", "-n", "shop").stdout
    own, _, default = shop.partition("by the defaults of Kubernetes v1.34")
    assert "user alice" in own
    assert "system:masters" in default
    other = run(file, "--who-can", "get", "secrets", "-n", "other").stdout
    assert "by the input: nobody" in other


def test_as_shows_what_one_user_has_with_its_groups(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text(role("keys", "get", "secrets") + binding("give", "ClusterRole", "keys", "Group", "ops"))
    assert "get: secrets" in run(file, "--as", ALICE, "--as-group", "ops").stdout
    assert "get: secrets" not in run(file, "--as", ALICE).stdout


def test_a_dump_that_repeats_a_default_leaves_it_a_default(tmp_path: Path) -> None:
    binding_of_masters = next(
        each for each in permissions(tmp_path, account("x")).bindings if each.name == "cluster-admin"
    )
    data = binding_of_masters.place.document.data()
    found = Permissions(read.objects([data], details=True).inventory)
    assert [each.default for each in found.bindings if each.name == "cluster-admin"] == [True]
    data["subjects"].append({"kind": "User", "name": ALICE})
    changed = Permissions(read.objects([data], details=True).inventory)
    assert [each.default for each in changed.bindings if each.name == "cluster-admin"] == [False]
    data["subjects"].pop()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--who-can", "get", "secrets", "--as", "alice"], "two questions"),
        (["--as-group", "ops"], "--as-group is for --as"),
        (["--namespace", "shop"], "--namespace is for --who-can"),
        (["--who-can", "get", "/metrics", "-n", "shop"], "is in no namespace"),
        (["--who-can", "get", ".apps"], "is not a resource"),
        (["--who-can", "get", "pods", "--format", "dot"], "has no format dot"),
    ],
)
def test_wrong_options_are_refused_with_the_fix(arguments: list[str], message: str) -> None:
    result = run(example_dist(), *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
