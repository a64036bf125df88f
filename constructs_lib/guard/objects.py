"""The Kubernetes objects of the guard: a ValidatingAdmissionPolicy and a binding for each policy."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from cdk8s import ApiObjectMetadata
from constructs import Construct

from constructs_lib._objects import plain_object
from constructs_lib.guard.images import image_policy
from constructs_lib.guard.monitoring import MONITORING_POLICIES
from constructs_lib.guard.network import NETWORK_POLICIES
from constructs_lib.guard.permissions import PERMISSION_POLICIES
from constructs_lib.guard.policy import Policy
from constructs_lib.names import platform_labels
from constructs_lib.platform.guard import Guard

API: Final = "admissionregistration.k8s.io/v1"
PREFIX: Final = "tenantry-guard-"
CONTROLLER_GROUPS: Final = ("system:masters", "system:nodes", "system:serviceaccounts:kube-system")
CONTROLLER_USERS: Final = ("system:apiserver", "system:kube-controller-manager")
"""The cluster's own controllers, which no policy but that of the images restricts."""


def add_guard(scope: Construct, guard: Guard, *, tenants: Sequence[str], images: Iterable[str]) -> None:
    """Add the guard's policies, with bindings for the tenants' namespaces.

    Args:
        scope: the chart that gets the objects.
        guard: the settings.
        tenants: names of the tenants' namespaces.
        images: the tenants' own images, which are always allowed.
    """
    policies = [*NETWORK_POLICIES, *PERMISSION_POLICIES, *MONITORING_POLICIES]
    if guard.images:
        policies.append(image_policy(guard.images, images))
    for policy in policies:
        name = f"{PREFIX}{policy.name}"
        for kind, spec in (
            ("ValidatingAdmissionPolicy", _policy_spec(policy, guard)),
            ("ValidatingAdmissionPolicyBinding", _binding_spec(name, tenants)),
        ):
            metadata = ApiObjectMetadata(name=name, labels=platform_labels())
            plain_object(scope, f"{name}-{kind}", api_version=API, kind=kind, metadata=metadata, spec=spec)


def _policy_spec(policy: Policy, guard: Guard) -> dict[str, Any]:
    variables = [{"expression": expression, "name": name} for name, expression in policy.variables.items()]
    return {
        "failurePolicy": "Fail",
        "matchConditions": _conditions(policy, guard),
        "matchConstraints": {"resourceRules": policy.matches()},
        "validations": [rule.manifest() for rule in policy.rules],
        **({"variables": variables} if variables else {}),
    }


def _binding_spec(name: str, tenants: Sequence[str]) -> dict[str, Any]:
    """Select by the namespace's name: a label of our own could be removed in the very request that it should stop."""
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(tenants)}
    return {
        "matchResources": {"namespaceSelector": {"matchExpressions": [names]}},
        "policyName": name,
        "validationActions": ["Deny"],
    }


def _conditions(policy: Policy, guard: Guard) -> list[dict[str, str]]:
    administrators = "authorizer.group('admissionregistration.k8s.io').resource('validatingadmissionpolicies')"
    conditions = [("not-an-administrator", f"!{administrators}.check('update').allowed()")]
    if not policy.restricts_controllers:
        groups = json.dumps([*CONTROLLER_GROUPS, *guard.exempt_groups])
        users = json.dumps([*CONTROLLER_USERS, *guard.exempt_users])
        named = f"request.userInfo.username in {users} || request.userInfo.?groups.orValue([]).exists(g, g in {groups})"
        # First, since it is cheaper: an authorizer may be a webhook.
        conditions.insert(0, ("not-exempt", f"!({named})"))
    return [{"expression": expression, "name": name} for name, expression in conditions]
