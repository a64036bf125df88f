"""What the current user may do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from constructs_lib import baseline
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

_APPLY: Final = ("get", "list", "create", "patch", "delete")
"""Verbs that `tenantry apply` uses: kubectl apply, diff and prune."""
_EVERYWHERE: Final = "list"
"""`tenantry apply` compares the objects of all tenants in one list per kind, so this verb is needed cluster-wide."""
_NAMESPACES: Final = (("", "namespaces"),)
_GUARD: Final = (
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
)
_BASELINE: Final = ("policy.networking.k8s.io", "clusternetworkpolicies")
_ROUTES: Final = ("gateway.networking.k8s.io", "httproutes")
_LISTED: Final = (("", "pods"), *_GUARD)
"""`tenantry apply` looks for pods of earlier versions, and for a guard that platform.yaml no longer sets."""
_LISTED_IF_SERVED: Final = {baseline.API: _BASELINE, f"{_ROUTES[0]}/v1": _ROUTES}
"""The same for a baseline and for routes, on clusters that have these kinds."""
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
_Review = tuple[str, str, str, str]
"""Verb, API group, resource and namespace."""


def check_rights(inspected: Inspected) -> Iterator[Finding]:
    """The user must be allowed to create, change, compare and delete every kind of object that dist/ holds."""
    settings = inspected.settings
    kinds = (*_NAMESPACES, *(_GUARD if settings.guard else ()), *((_BASELINE,) if settings.baseline else ()))
    of_tenants = (*_TENANT, *((_ROUTES,) if settings.gateway else ()))
    reviews = [(verb, *each, "") for each in (*kinds, *of_tenants) for verb in _APPLY]
    listed = [*_LISTED, *(each for api, each in _LISTED_IF_SERVED.items() if inspected.api.kinds(api))]
    reviews += [(_EVERYWHERE, *each, "") for each in listed]
    denied = _denied(inspected, list(dict.fromkeys(reviews)))
    namespaces = [settings.monitoring.namespace, *(tenant.name for tenant in inspected.platform.tenants)]
    # Permissions other than to list may be given in each namespace.
    separate = [each for each in denied if each[0] != _EVERYWHERE and (each[1], each[2]) in of_tenants]
    single = [
        (verb, group, resource, name)
        for verb, group, resource, _ in separate
        for name in (namespaces if resource == "configmaps" else namespaces[1:])
    ]
    lacking = [each for each in denied if each not in separate] + _denied(inspected, single)
    user = inspected.api.user() or "the current user"
    required = (
        "permission to get, create, patch and delete every kind of object in dist/, and to list these kinds and pods "
        "in all namespaces"
    )
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
