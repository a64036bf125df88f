"""Requests and limits of containers, and whether quotas hold what autoscalers ask for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.model.objects import Object, mapping, mappings
from audit.model.quantities import quantity
from audit.pods.template import Template

_RESOURCES: Final = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
_QUOTAS: Final = "https://kubernetes.io/docs/concepts/policy/resource-quotas/"
_LIMIT_RANGES: Final = "https://kubernetes.io/docs/concepts/policy/limit-range/"
_WANTED: Final = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def limit_findings(template: Template, inventory: Inventory) -> Iterator[Finding]:
    """Containers without requests or a memory limit, and those above the maximum of a LimitRange."""
    ranges = _ranges(inventory, template.owner.namespace)
    for each in template.containers:
        resources = mapping(each.data.get("resources"))
        place = template.owner.place.at(*template.path, "spec", *each.path)
        for kind, name in _WANTED:
            if _amount(resources, kind, name) is None and not any(_default(limits, kind, name) for limits in ranges):
                yield finding(
                    place.at("resources") if resources else place,
                    rule="pod-resources",
                    severity=Severity.MEDIUM,
                    namespace=template.owner.namespace,
                    subject=template.owner.reference,
                    message=f"container {each.name} sets no {name} {kind[:-1]}, and no LimitRange does",
                    fix=f"Set resources.{kind}.{name}.",
                    source=_RESOURCES,
                    state=State.WARNING,
                )
        for limits in ranges:
            for name, most in mapping(limits.get("max")).items():
                given, allowed = _amount(resources, "limits", name), quantity(most)
                if given is not None and allowed is not None and given > allowed:
                    yield finding(
                        place.at("resources", "limits", name),
                        rule="pod-above-limit-range",
                        severity=Severity.MEDIUM,
                        namespace=template.owner.namespace,
                        subject=template.owner.reference,
                        message=f"container {each.name} has the {name} limit {resources['limits'][name]}, above the"
                        f" maximum {most} of its namespace, so the API server refuses the pods",
                        fix="Lower the limit, or raise the maximum of the LimitRange.",
                        source=_LIMIT_RANGES,
                    )


def quota_findings(inventory: Inventory, found: list[Template]) -> Iterator[Finding]:
    """Quotas below what the workloads of the namespace ask for when every autoscaler is at its maximum."""
    scalers = inventory.autoscalers()
    needed: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for each in found:
        owner = each.owner
        replicas = _replicas(owner, scalers.get((owner.namespace, owner.kind, owner.name)))
        for name, amount in _per_pod(each).items():
            needed[owner.namespace][name] += amount * replicas
    for quota in inventory.of_kind("ResourceQuota"):
        if quota.at("spec", "scopes") or quota.at("spec", "scopeSelector"):
            continue  # it counts some of the pods only
        for name, hard in mapping(quota.at("spec", "hard")).items():
            key = name if name.startswith(("requests.", "limits.")) or name == "pods" else f"requests.{name}"
            need, allowed = needed[quota.namespace].get(key), quantity(hard)
            if need is not None and allowed is not None and need > allowed:
                yield finding(
                    quota.place.at("spec", "hard", name),
                    rule="quota-below-maximum",
                    severity=Severity.MEDIUM,
                    namespace=quota.namespace,
                    subject=quota.reference,
                    message=f"the workloads need {_shown(need)} of {name} at the maximum of their autoscalers; the"
                    f" quota is {hard}, so scaling stops before",
                    fix="Raise the quota, or lower maxReplicas.",
                    source=_QUOTAS,
                    state=State.WARNING,
                )


def _ranges(inventory: Inventory, namespace: str) -> list[Mapping[str, Any]]:
    """The limits for containers of a namespace's LimitRanges."""
    return [
        limits
        for each in inventory.of_kind("LimitRange")
        if each.namespace == namespace
        for limits in mappings(each.at("spec", "limits"))
        if limits.get("type") == "Container"
    ]


def _default(limits: Mapping[str, Any], kind: str, name: str) -> bool:
    """Whether a LimitRange gives a value to containers that have none; a maximum counts as one."""
    fields = ("defaultRequest", "default", "max") if kind == "requests" else ("default", "max")
    return any(name in mapping(limits.get(field)) for field in fields)


def _amount(resources: Mapping[str, Any], kind: str, name: str) -> Decimal | None:
    """A request or limit; a request that is absent is the limit."""
    found = mapping(resources.get(kind)).get(name)
    if found is None and kind == "requests":
        found = mapping(resources.get("limits")).get(name)
    return quantity(found)


def _per_pod(template: Template) -> dict[str, Decimal]:
    """What a quota counts of one pod: the sum of its containers, or its largest init container if that is more."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    largest: dict[str, Decimal] = defaultdict(Decimal)
    for each in template.containers:
        resources = mapping(each.data.get("resources"))
        for kind in ("requests", "limits"):
            for name in {*mapping(resources.get(kind)), *mapping(resources.get("limits"))}:
                amount = _amount(resources, kind, name) or Decimal()
                key = f"{kind}.{name}"
                if each.serves:
                    total[key] += amount
                else:
                    largest[key] = max(largest[key], amount)
    counted = {key: max(total[key], largest[key]) for key in {*total, *largest}}
    return {"pods": Decimal(1), **counted}


def _replicas(owner: Object, scaler: Object | None) -> int:
    """How many pods a workload has at most, without those of an update."""
    if scaler is not None:
        replicas = scaler.at("spec", "maxReplicas")
    elif owner.kind == "CronJob":
        replicas = owner.at("spec", "jobTemplate", "spec", "parallelism")
    else:
        replicas = owner.at("spec", "parallelism" if owner.kind == "Job" else "replicas")
    return replicas if isinstance(replicas, int) else 1


def _shown(amount: Decimal) -> str:
    """A quantity as a person writes it: whole mebibytes where it is memory."""
    mebibyte = 1024 * 1024
    if amount >= mebibyte and amount % mebibyte == 0:
        return f"{int(amount / mebibyte)}Mi"
    return f"{amount.normalize():f}"
