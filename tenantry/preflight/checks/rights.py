"""What the current user may do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

_APPLY: Final = ("get", "list", "create", "patch", "delete")
"""Verbs that `tenantry apply` uses: kubectl apply, diff and prune."""
_NAMESPACES: Final = (("", "namespaces"),)
_GUARD: Final = (
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
)
_BASELINE: Final = (("policy.networking.k8s.io", "clusternetworkpolicies"),)
_TENANT: Final = (
    ("", "configmaps"),
    ("", "limitranges"),
    ("", "resourcequotas"),
    ("", "services"),
    ("", "serviceaccounts"),
    ("apps", "deployments"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("monitoring.coreos.com", "alertmanagerconfigs"),
    ("monitoring.coreos.com", "prometheusrules"),
    ("monitoring.coreos.com", "servicemonitors"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
)

_PODS: Final = ("list", "", "pods", "")
"""`tenantry apply` looks for pods of earlier versions, in every namespace."""

_Review = tuple[str, str, str, str]
"""Verb, API group, resource and namespace."""


def check_rights(inspected: Inspected) -> Iterator[Finding]:
    """The user must be allowed to create, change, compare and delete every kind of object that dist/ holds."""
    settings = inspected.settings
    kinds = (*_NAMESPACES, *(_GUARD if settings.guard else ()), *(_BASELINE if settings.baseline else ()))
    cluster = [(verb, *each, "") for each in kinds for verb in _APPLY]
    everywhere = [(verb, *each, "") for each in _TENANT for verb in _APPLY]
    denied = _denied(inspected, [_PODS, *cluster, *everywhere])
    namespaces = [inspected.settings.monitoring.namespace, *(tenant.name for tenant in inspected.platform.tenants)]
    # Permissions of every namespace may be given one by one.
    single = [
        (verb, group, resource, name)
        for verb, group, resource, _ in denied
        if (group, resource) in _TENANT
        for name in (namespaces if resource == "configmaps" else namespaces[1:])
    ]
    lacking = [each for each in denied if (each[1], each[2]) not in _TENANT] + _denied(inspected, single)
    user = inspected.api.user() or "the current user"
    required = f"permission to list pods, and to {', '.join(_APPLY)} every kind of object in dist/"
    if not lacking:
        yield Finding(status=Status.OK, found=f"{user} has it", required=required)
        return
    found = f"{user} may not: {'; '.join(_summary(lacking))}"
    yield Finding(status=Status.BLOCKING, found=found, required=required, fix="use an account that has it")


def _denied(inspected: Inspected, reviews: Sequence[_Review]) -> list[_Review]:
    if not reviews:
        return []
    keys = ("verb", "group", "resource", "namespace")
    answers = inspected.api.allowed([dict(zip(keys, each, strict=True)) for each in reviews])
    return [each for each, allowed in zip(reviews, answers, strict=True) if not allowed]


def _summary(lacking: Sequence[_Review]) -> Iterator[str]:
    """One part per set of verbs and resources, with its namespaces."""
    verbs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for verb, _, resource, namespace in lacking:
        verbs[namespace, resource].append(verb)
    resources: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (namespace, resource), some in verbs.items():
        resources[namespace, ", ".join(some)].append(resource)
    namespaces: defaultdict[str, list[str]] = defaultdict(list)
    for (namespace, some_verbs), some in resources.items():
        namespaces[f"{some_verbs} {', '.join(some)}"].append(namespace)
    for what, places in namespaces.items():
        where = f"in {', '.join(places)}" if any(places) else "cluster-wide"
        yield f"{what} {where}"
