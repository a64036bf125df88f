"""Roles, bindings and requests, drawn at random."""

from dataclasses import dataclass
from typing import Any, Final

from tests.audit.drawing.draw import Draw
from tests.audit.reference.objects import Object

PREFIX: Final = "audit-rbac"
NAMESPACES: Final = [f"{PREFIX}-{color}" for color in ("red", "blue", "grey")]
_GROUP: Final = "rbac.authorization.k8s.io"
_VERSION: Final = f"{_GROUP}/v1"
_VERBS: Final = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "bind",
    "impersonate",
]
_API_GROUPS: Final = ["", "apps", "batch", _GROUP]
_RESOURCES: Final = ["pods", "secrets", "deployments", "jobs", "roles", "nodes", "namespaces"]
_PARTS: Final = ["", "", "exec", "status", "token", "scale"]
_NAMES: Final = ["one", "two", "three"]
_PATHS: Final = ["/metrics", "/healthz", "/healthz/ping", "/logs/kubelet", f"/{PREFIX}"]
_PATTERNS: Final = ["*", "/healthz*", "/healthz/*", "/logs/**", "/metrics", "/met*rics", f"/{PREFIX}"]
_USERS: Final = [f"{PREFIX}-user-{number}" for number in range(3)]
_GROUPS: Final = [f"{PREFIX}-group-{number}" for number in range(3)]
_ACCOUNTS: Final = ["default", "worker"]


@dataclass(frozen=True)
class Ask:
    """Who asks for what.

    Attributes:
        user: Name of the user.
        groups: Its groups.
        review: `resourceAttributes` or `nonResourceAttributes` of a SubjectAccessReview.
    """

    user: str
    groups: list[str]
    review: dict[str, Any]


def draw_roles(draw: Draw) -> list[Object]:
    """Roles, ClusterRoles with and without aggregation, and bindings of both kinds; some refer to nothing."""
    cluster_roles = [_cluster_role(draw, number) for number in range(draw.number(2, 6))]
    roles = [_role(draw, namespace, number) for namespace in NAMESPACES for number in range(draw.number(0, 3))]
    bindings = [_binding(draw, number) for number in range(draw.number(2, 9))]
    return [*cluster_roles, *roles, *bindings]


def draw_ask(draw: Draw, objects: list[Object]) -> Ask:
    """A request of a user or an account with the groups that the API server gives, and sometimes more.

    Most are close to what a binding gives, so that many are allowed.
    """
    bindings = [each for each in objects if each.get("subjects")]
    binding = draw.one(bindings) if bindings and draw.chance(70) else None
    user, groups = _caller(draw, draw.one(binding["subjects"]) if binding else None)
    rules = [rule for role in objects for rule in role.get("rules", []) if _is_bound(role, binding)]
    rule: dict[str, Any] = draw.one(rules) if rules else {}
    if "nonResourceURLs" in rule or draw.chance(10):
        attributes = {"verb": draw.one(["get", "post"]), "path": draw.one(_PATHS)}
        return Ask(user, groups, {"nonResourceAttributes": attributes})
    resource, _, part = _near(draw, rule.get("resources"), _RESOURCES).partition("/")
    attributes = {
        "verb": _near(draw, rule.get("verbs"), _VERBS),
        "group": _near(draw, rule.get("apiGroups"), _API_GROUPS),
        "resource": draw.one(_RESOURCES) if resource == "*" else resource,
    }
    own = binding["metadata"].get("namespace") if binding else None
    attributes |= {"namespace": own if own and draw.chance(80) else draw.one(NAMESPACES)} if draw.chance(85) else {}
    part = draw.one(_PARTS) if part == "*" or draw.chance(15) else part
    attributes |= {"subresource": part} if part else {}
    attributes |= {"name": _near(draw, rule.get("resourceNames"), _NAMES)} if draw.chance(60) else {}
    return Ask(user, groups, {"resourceAttributes": attributes})


def _caller(draw: Draw, subject: dict[str, str] | None) -> tuple[str, list[str]]:
    """A user with its groups: one that a subject means, or any."""
    groups = ["system:authenticated", *draw.some(_GROUPS, 0, 2)]
    kind, name = (subject["kind"], subject["name"]) if subject else ("", "")
    if kind == "User":
        return name, groups
    if kind == "Group" and name in _GROUPS:
        return draw.one(_USERS), [*groups, name]
    namespace = subject["namespace"] if subject and kind == "ServiceAccount" else draw.one(NAMESPACES)
    account = name if kind == "ServiceAccount" else draw.one(_ACCOUNTS)
    groups += ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    return f"system:serviceaccount:{namespace}:{account}", groups


def _is_bound(role: Object, binding: Object | None) -> bool:
    return binding is None or (role["kind"], role["metadata"]["name"]) == tuple(
        binding["roleRef"][key] for key in ("kind", "name")
    )


def _near(draw: Draw, given: list[str] | None, values: list[str]) -> str:
    """A value that a rule has, or any."""
    value = draw.one(given) if given and draw.chance(85) else draw.one(values)
    return draw.one(values) if value == "*" else value


def _cluster_role(draw: Draw, number: int) -> Object:
    labels = {f"{PREFIX}/{key}": "true" for key in draw.some(["low", "high"], 0, 2)}
    role: Object = {
        "apiVersion": _VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": f"{PREFIX}-{number}", "labels": labels},
    }
    if draw.chance(30):
        chosen = [{"matchLabels": {f"{PREFIX}/{key}": "true"}} for key in draw.some(["low", "high"], 1, 2)]
        return role | {"aggregationRule": {"clusterRoleSelectors": chosen}}
    return role | {"rules": draw.several(lambda: _paths(draw) if draw.chance(20) else _rule(draw), 0, 3)}


def _role(draw: Draw, namespace: str, number: int) -> Object:
    metadata = {"name": f"role-{number}", "namespace": namespace}
    rules = draw.several(lambda: _rule(draw), 0, 3)
    return {"apiVersion": _VERSION, "kind": "Role", "metadata": metadata, "rules": rules}


def _rule(draw: Draw) -> dict[str, Any]:
    resources = [*_RESOURCES, "*", "pods/exec", "pods/status", "*/scale", "*/exec", "secrets/token", "deployments/*"]
    rule = {
        "verbs": draw.some([*_VERBS, "*"], 1, 4),
        "apiGroups": draw.some([*_API_GROUPS, "*"], 1, 3),
        "resources": draw.some(resources, 1, 4),
    }
    return rule | ({"resourceNames": draw.some(_NAMES, 1, 2)} if draw.chance(25) else {})


def _paths(draw: Draw) -> dict[str, Any]:
    return {"verbs": draw.some(["get", "post", "*"], 1, 2), "nonResourceURLs": draw.some(_PATTERNS, 1, 2)}


def _binding(draw: Draw, number: int) -> Object:
    whole = draw.chance(35)
    metadata = {"name": f"{PREFIX}-{number}"} | ({} if whole else {"namespace": draw.one(NAMESPACES)})
    kind = "ClusterRole" if whole or draw.chance(40) else "Role"
    name = f"{PREFIX}-{draw.number(0, 6)}" if kind == "ClusterRole" else f"role-{draw.number(0, 2)}"
    return {
        "apiVersion": _VERSION,
        "kind": "ClusterRoleBinding" if whole else "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
        "subjects": draw.several(lambda: _subject(draw), 0, 3),
    }


def _subject(draw: Draw) -> dict[str, str]:
    kind = draw.one(["ServiceAccount", "ServiceAccount", "User", "Group"])
    if kind == "ServiceAccount":
        return {"kind": kind, "name": draw.one(_ACCOUNTS), "namespace": draw.one(NAMESPACES)}
    of_accounts = [f"system:serviceaccounts:{NAMESPACES[0]}", f"system:serviceaccount:{NAMESPACES[1]}:worker"]
    name = draw.one([*_USERS, of_accounts[1]] if kind == "User" else [*_GROUPS, of_accounts[0]])
    return {"apiGroup": _GROUP, "kind": kind, "name": name}
