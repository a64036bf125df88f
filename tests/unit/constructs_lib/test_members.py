"""The Role and the RoleBinding of a tenant's members."""

from typing import Any

import pytest

from constructs_lib import IsolatedTenant, IsolatedTenantProps
from constructs_lib.platform.members import Members
from tests.kube import Object, by_kind, make_chart, objects_of

NAME = "tenant-a-members"
RBAC = "rbac.authorization.k8s.io"


def synth(members: Members | None) -> list[Object]:
    chart = make_chart()
    IsolatedTenant(chart, "tenant", IsolatedTenantProps(name="tenant-a", members=members))
    return objects_of(chart)


def rights(role: Object) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_without_members_there_is_no_role_for_them() -> None:
    assert [each for each in synth(None) if "members" in each["metadata"]["name"]] == []


def test_the_role_reads_and_does_nothing_else() -> None:
    found = rights(by_kind(synth(Members(groups=("team-a",))), "Role", NAME))
    assert {verb for _, _, verb in found} == {"get", "list", "watch"}
    resources = {resource for _, resource, _ in found}
    assert {"pods", "pods/log", "events", "deployments", "horizontalpodautoscalers", "resourcequotas"} <= resources
    assert "networkpolicies" in resources
    assert not resources & {"secrets", "configmaps", "serviceaccounts", "pods/exec", "pods/attach", "pods/proxy", "*"}
    assert all("*" not in part for right in found for part in right)


def test_port_forward_is_added_only_on_request() -> None:
    without, with_it = (
        rights(by_kind(synth(Members(users=("ada",), port_forward=forward)), "Role", NAME)) for forward in (False, True)
    )
    assert with_it - without == {("", "pods/portforward", "create"), ("", "pods/portforward", "get")}


def test_the_binding_names_each_member_once_in_the_tenants_namespace() -> None:
    members = Members(groups=("team-b", "team-a", "team-a"), users=("ada@example.com",))
    binding = by_kind(synth(members), "RoleBinding", NAME)
    assert binding["metadata"]["namespace"] == "tenant-a"
    assert binding["roleRef"] == {"apiGroup": RBAC, "kind": "Role", "name": NAME}
    assert binding["subjects"] == [
        {"apiGroup": RBAC, "kind": "Group", "name": "team-a"},
        {"apiGroup": RBAC, "kind": "Group", "name": "team-b"},
        {"apiGroup": RBAC, "kind": "User", "name": "ada@example.com"},
    ]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "must name a group or a user"),
        ({"groups": ["system:authenticated"]}, "must not start with 'system:'"),
        ({"users": ["system:serviceaccount:tenant-b:default"]}, "must not start with 'system:'"),
        ({"users": [""]}, "must be the name of a user or group"),
        ({"groups": [" team"]}, "must be the name of a user or group"),
        ({"groups": ["team"], "portForward": "yes"}, "valid boolean"),
    ],
)
def test_members_that_are_everybody_or_nobody_are_refused(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Members.model_validate(given)
