"""The permissions of a tenant's members: a Role and a RoleBinding in the tenant's namespace."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdk8s import ApiObjectMetadata
from constructs import Construct

from constructs_lib._objects import plain_object
from constructs_lib.platform.members import Members

RBAC_GROUP: Final = "rbac.authorization.k8s.io"
RBAC_API: Final = f"{RBAC_GROUP}/v1"
READ: Final = ("get", "list", "watch")
READABLE: Final[Mapping[str, Sequence[str]]] = {
    "": ("events", "limitranges", "pods", "pods/log", "resourcequotas", "services"),
    "apps": ("deployments", "replicasets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "discovery.k8s.io": ("endpointslices",),
    "events.k8s.io": ("events",),
    "metrics.k8s.io": ("pods",),
    "monitoring.coreos.com": ("prometheusrules", "servicemonitors"),
    "networking.k8s.io": ("networkpolicies",),
    "policy": ("poddisruptionbudgets",),
}
"""What members may read, by API group."""
PORT_FORWARD: Final = ("create", "get")
"""Verbs on `pods/portforward`: which of them a client needs depends on whether it uses SPDY or WebSockets."""


def add_members(scope: Construct, metadata: ApiObjectMetadata, members: Members) -> None:
    """Add the Role of a tenant's members and its RoleBinding.

    Args:
        scope: the construct that gets the objects.
        metadata: of both objects, in the tenant's namespace.
        members: who the members are.
    """
    plain_object(scope, "members-role", api_version=RBAC_API, kind="Role", metadata=metadata, rules=_rules(members))
    subjects = [
        {"apiGroup": RBAC_GROUP, "kind": kind, "name": name}
        for kind, names in (("Group", members.groups), ("User", members.users))
        for name in sorted(set(names))
    ]
    plain_object(
        scope,
        "members-role-binding",
        api_version=RBAC_API,
        kind="RoleBinding",
        metadata=metadata,
        roleRef={"apiGroup": RBAC_GROUP, "kind": "Role", "name": metadata.name},
        subjects=subjects,
    )


def _rules(members: Members) -> list[dict[str, Any]]:
    rules = [{"apiGroups": [group], "resources": list(names), "verbs": list(READ)} for group, names in READABLE.items()]
    if members.port_forward:
        rules.append({"apiGroups": [""], "resources": ["pods/portforward"], "verbs": list(PORT_FORWARD)})
    return rules
