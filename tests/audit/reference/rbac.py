"""The reference for permissions: one request, every binding, over plain objects; shares no code with `audit`.

It follows the page "Using RBAC Authorization" of the Kubernetes documentation.
"""

from typing import Any

from tests.audit.reference.objects import Object


def allowed(objects: list[Object], user: str, groups: list[str], review: dict[str, Any]) -> bool:
    """Whether the roles and bindings in some objects allow a request.

    Args:
        objects: Roles, ClusterRoles, RoleBindings and ClusterRoleBindings; others do not matter.
        user: Name of the user.
        groups: Its groups.
        review: `resourceAttributes` or `nonResourceAttributes`, as in a SubjectAccessReview.
    """
    attributes = review.get("resourceAttributes") or review["nonResourceAttributes"]
    namespace = attributes.get("namespace", "")
    for binding in objects:
        kind = binding["kind"]
        if kind == "RoleBinding" and namespace != binding["metadata"]["namespace"]:
            continue
        if kind == "RoleBinding" and "path" in attributes:
            continue
        if kind in {"RoleBinding", "ClusterRoleBinding"} and any(
            _is(subject, user, groups) for subject in binding.get("subjects", [])
        ):
            for rule in _rules(objects, binding):
                if _matches(rule, attributes):
                    return True
    return False


def _is(subject: dict[str, str], user: str, groups: list[str]) -> bool:
    if subject["kind"] == "ServiceAccount":
        return user == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    return user == subject["name"] if subject["kind"] == "User" else subject["name"] in groups


def _rules(objects: list[Object], binding: Object) -> list[dict[str, Any]]:
    wanted = binding["roleRef"]
    for role in objects:
        if role["kind"] != wanted["kind"] or role["metadata"]["name"] != wanted["name"]:
            continue
        if role["kind"] == "Role" and role["metadata"]["namespace"] != binding["metadata"]["namespace"]:
            continue
        return _aggregated(objects, role, set())
    return []


def _aggregated(objects: list[Object], role: Object, seen: set[str]) -> list[dict[str, Any]]:
    """Rules of a role; for an aggregated one, the union of the rules of those that it selects."""
    if "aggregationRule" not in role:
        return list(role.get("rules") or [])
    seen = {*seen, role["metadata"]["name"]}
    found = []
    for other in objects:
        if other["kind"] != "ClusterRole" or other["metadata"]["name"] in seen:
            continue
        labels = other["metadata"].get("labels", {})
        for selector in role["aggregationRule"]["clusterRoleSelectors"]:
            if all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()):
                found += _aggregated(objects, other, seen)
    return found


def _matches(rule: dict[str, Any], attributes: dict[str, str]) -> bool:
    if "*" not in rule["verbs"] and attributes["verb"] not in rule["verbs"]:
        return False
    if "path" in attributes:
        return any(
            path in {"*", attributes["path"]}
            or (path.endswith("*") and attributes["path"].startswith(path.rstrip("*")))
            for path in rule.get("nonResourceURLs", [])
        )
    if not {"*", attributes.get("group", "")} & set(rule.get("apiGroups", [])):
        return False
    resource, part = attributes["resource"], attributes.get("subresource", "")
    wanted = {"*", f"{resource}/{part}", f"*/{part}"} if part else {"*", resource}
    if not wanted & set(rule.get("resources", [])):
        return False
    return not rule.get("resourceNames") or attributes.get("name", "") in rule["resourceNames"]
