"""Checks about the permissions of a tenant's accounts and members."""

from collections.abc import Iterator
from typing import Final

from audit.benchmarks.result import Answer, failed, not_applicable, passed, unknown, worst
from audit.benchmarks.tenant import View
from audit.model.permissions import ANY
from audit.permissions.permissions import Grant
from audit.reading.kinds import CLUSTER_WIDE

_RBAC: Final = "rbac.authorization.k8s.io"
_CHANGE: Final = ("create", "update", "patch", "delete", "deletecollection")
_MANAGE: Final = ("get", *_CHANGE)
_EXISTING: Final = ("update", "patch", "delete", "deletecollection")
_ISOLATING: Final = (
    ("NetworkPolicy", "networkpolicies", "networking.k8s.io"),
    ("ResourceQuota", "resourcequotas", ""),
    ("LimitRange", "limitranges", ""),
    ("Role", "roles", _RBAC),
    ("RoleBinding", "rolebindings", _RBAC),
)
_SPECIAL_PLURALS: Final = {"StorageClass": "storageclasses", "PriorityClass": "priorityclasses"}
_KUBERNETES: Final = ("", "apps", "batch", "autoscaling", "policy", "extensions")


def _plural(kind: str) -> str:
    lower = kind.lower()
    return f"{lower}es" if lower.endswith("ss") else f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"


_OF_THE_CLUSTER: Final = {_plural(kind) for kind in CLUSTER_WIDE}


def _says(grant: Grant) -> str:
    rule = grant.rule
    return f"{grant.subject} may {', '.join(rule.verbs)} {', '.join(rule.written)} {grant.where}"


def cluster_resources(view: View) -> Answer:
    """Cluster-wide grants for cluster-scoped resources."""
    otherwise = view.unless_missing("no account or member of the tenant has permissions for cluster-scoped resources")
    return worst([*_cluster_resources(view), otherwise])


def _cluster_resources(view: View) -> Iterator[Answer]:
    for each in view.grants:
        if each.namespace or not each.rule.resources:
            continue
        resources = {name.partition("/")[0] for name in each.rule.resources}
        if ANY in resources or resources & _OF_THE_CLUSTER:
            yield failed(_says(each), each.place)
        foreign = [group for group in each.rule.groups if group not in _KUBERNETES and not group.endswith(".k8s.io")]
        if foreign:
            yield unknown(f"{_says(each)}; whether that resource is cluster-scoped is not known", each.place)


def other_tenants(view: View) -> Answer:
    """Grants in the namespaces of other tenants, or in every namespace."""
    others = {space for each in view.contract.spec.tenants for space in each.spaces} - set(view.spaces)
    if not others:
        return not_applicable("the contract has no other tenant")
    for each in view.grants:
        everywhere = not each.namespace and each.rule.resources and not _only_cluster(each)
        if each.namespace in others or everywhere:
            return failed(_says(each), each.place)
    return view.unless_missing("no account or member of the tenant has permissions in a namespace of another tenant")


def _only_cluster(grant: Grant) -> bool:
    return {name.partition("/")[0] for name in grant.rule.resources} <= _OF_THE_CLUSTER


def isolating_objects(view: View) -> Answer:
    """Grants to change policies, quotas, limits, Roles and bindings that exist."""
    there = [(kind, plural, group) for kind, plural, group in _ISOLATING if view.objects(kind)]
    if not there:
        return not_applicable("the namespace has no policies, quotas, limits, Roles or bindings")
    grants = ((view.may(_EXISTING, plural, group), kind, plural) for kind, plural, group in there)
    found = [_unless_refused(view, grant, kind, plural) for grant, kind, plural in grants if grant is not None]
    kinds = ", ".join(plural for _kind, plural, _group in there)
    return worst([*found, view.unless_missing(f"no account or member of the tenant may change {kinds}")])


def _unless_refused(view: View, grant: Grant, kind: str, plural: str) -> Answer:
    """A failure, unless something that the audit does not evaluate may refuse what a grant allows."""
    others = view.refusing(plural)
    if others:
        said = f"{_says(grant)}; {others[0].reference} may refuse to change a {kind} and is not evaluated"
        return unknown(said, others[0].place)
    return failed(_says(grant), grant.place)


def quotas(view: View) -> Answer:
    """Grants to change quotas."""
    grant = view.may(_CHANGE, "resourcequotas")
    if grant is not None:
        return _unless_refused(view, grant, "ResourceQuota", "resourcequotas")
    return view.unless_missing("no account or member of the tenant may create, change or delete quotas")


def escalation(view: View) -> Answer:
    """Grants to bind or escalate roles."""
    for verb, resource in (
        ("escalate", "roles"),
        ("escalate", "clusterroles"),
        ("bind", "roles"),
        ("bind", "clusterroles"),
    ):
        grant = view.may([verb], resource, _RBAC)
        if grant is not None:
            return failed(_says(grant), grant.place)
    return view.unless_missing("no account or member of the tenant has the verbs bind and escalate")


def network_policies(view: View) -> Answer:
    """Self-service of NetworkPolicies."""
    return _self_service(view, (("networkpolicies", "networking.k8s.io"),), "changes-network-policies")


def roles(view: View) -> Answer:
    """Self-service of Roles."""
    return _self_service(view, (("roles", _RBAC),), "escalates-roles")


def role_bindings(view: View) -> Answer:
    """Self-service of Roles and RoleBindings."""
    return _self_service(view, (("roles", _RBAC), ("rolebindings", _RBAC)), "binds-roles")


def _self_service(view: View, resources: tuple[tuple[str, str], ...], consequence: str) -> Answer:
    names = " and ".join(plural for plural, _group in resources)
    if all(view.may_all(_MANAGE, plural, group) for plural, group in resources):
        return passed(f"an account or member of the tenant may manage {names}")
    if {consequence, "administers"} & view.self_service:
        reason = f"the contract allows {consequence}, and no account or member of the tenant may manage {names}"
        return view.unless_missing(reason, failed)
    return not_applicable(f"the contract does not allow {consequence}: the platform manages {names}")
