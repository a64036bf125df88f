"""Whether the nodes can hold the tenants' pods, beside the pods that run there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from audit.model.quantities import quantity
from audit.reports.words import count
from constructs_lib.platform import Tenant
from constructs_lib.platform._quantities import byte_count, cpu_text, millicores
from constructs_lib.platform.capacity import ResourceList, requests_of, unschedulable
from constructs_lib.platform.cluster import ClusterSettings
from tenantry.preflight.api import Object
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Setting, Status

_GONE: Final = {"Succeeded", "Failed"}
_KEEPS_AWAY: Final = {"NoSchedule", "NoExecute"}
_NOTHING: Final = ResourceList(cpu=0, memory=0, pods=0)
_MEBIBYTE: Final = 2**20


def check_capacity(inspected: Inspected) -> Iterator[Finding]:
    """Requests are placed pod by pod and node by node, as `tenantry plan` does, on what the nodes have left."""
    nodes = [each for each in inspected.api.items("/api/v1/nodes") or [] if _takes_pods(each)]
    tenants = {tenant.name for tenant in inspected.platform.tenants}
    used = _used(inspected.api.items("/api/v1/pods") or [], ignored=tenants)
    sizes = [_amount(each["status"]["allocatable"]) for each in nodes]
    free = [_left(size, used[node["metadata"]["name"]]) for node, size in zip(nodes, sizes, strict=True)]
    requests = [requests_of(tenant) for tenant in inspected.platform.tenants]
    minimum = [each.pod for each in requests for _ in range(each.minimum.pods)]
    maximum = [each.pod for each in requests for _ in range(each.maximum.pods)]
    at_minimum, at_maximum = unschedulable(minimum, free), unschedulable(maximum, free)
    left = sum(each.cpu for each in free), sum(each.memory for each in free)
    found = f"{count(len(nodes), 'node')} with {cpu_text(left[0])} CPU and {left[1] // _MEBIBYTE}Mi left for tenants"
    if at_maximum:
        found += f"; unschedulable: {at_minimum} pods at the minimum, {at_maximum} at the maximum"
    if any(_selects_nodes(tenant) for tenant in inspected.platform.tenants):
        found += "; not considered: the node selectors, node affinity and tolerations of tenants"
    settings = tuple(_description(inspected.settings.cluster, sizes))
    described = inspected.settings.cluster is not None and inspected.settings.cluster.has_size
    if described and settings:
        found += "; platform.cluster describes more"
    yield Finding(
        status=_status(at_minimum, is_reduced=bool(at_maximum or (described and settings))),
        found=found,
        required=f"room for {len(minimum)} pods at the tenants' minimum and {len(maximum)} at their maximum",
        fix="add nodes, or lower requests or maxReplicas; a cluster autoscaler may add them" if at_maximum else "",
        settings=settings,
    )


def _status(unschedulable_at_minimum: int, *, is_reduced: bool) -> Status:
    if unschedulable_at_minimum:
        return Status.FAILED
    return Status.WARNING if is_reduced else Status.OK


def _selects_nodes(tenant: Tenant) -> bool:
    """Whether a tenant's pods run on other nodes than pods without settings would."""
    return bool(tenant.scheduling.manifest().keys() - {"priorityClassName"})


def _takes_pods(node: Object) -> bool:
    """Whether a pod that tolerates no taint can be scheduled there."""
    spec = node.get("spec", {})
    tainted = any(each.get("effect") in _KEEPS_AWAY for each in spec.get("taints") or [])
    return not tainted and not spec.get("unschedulable")


def _used(pods: Sequence[Object], *, ignored: set[str]) -> Mapping[str, ResourceList]:
    """What pods outside the tenants' namespaces request on each node."""
    used: defaultdict[str, ResourceList] = defaultdict(lambda: _NOTHING)
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and pod["metadata"]["namespace"] not in ignored and pod.get("status", {}).get("phase") not in _GONE:
            used[node] += _requests(pod["spec"])
    return used


def _requests(spec: Mapping[str, Any]) -> ResourceList:
    """What a pod that runs takes from its node: its containers, its sidecars and its overhead."""
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    requests = [each.get("resources", {}).get("requests", {}) for each in (*spec["containers"], *sidecars)]
    amounts = map(_amount, (*requests, spec.get("overhead") or {}))
    return sum(amounts, start=ResourceList(cpu=0, memory=0, pods=1))


def _amount(given: Mapping[str, Any]) -> ResourceList:
    cpu, memory, pods = (quantity(given.get(key, "0")) or Decimal(0) for key in ("cpu", "memory", "pods"))
    return ResourceList(cpu=int(cpu * 1000), memory=int(memory), pods=int(pods))


def _left(size: ResourceList, used: ResourceList) -> ResourceList:
    return ResourceList(
        cpu=max(size.cpu - used.cpu, 0),
        memory=max(size.memory - used.memory, 0),
        pods=max(size.pods - used.pods, 0),
    )


def _description(described: ClusterSettings | None, sizes: Sequence[ResourceList]) -> Iterator[Setting]:
    """The keys of `platform.cluster` that are absent, or say more than the cluster has; the smallest node counts."""
    if not sizes:
        return
    workers, pods = len(sizes), min(each.pods for each in sizes)
    cpu, memory = min(each.cpu for each in sizes), min(each.memory for each in sizes)
    values = {"workers": workers, "cpu": cpu_text(cpu), "memory": f"{memory // _MEBIBYTE}Mi", "pods": pods}
    too_much = set(values)
    if described and described.cpu and described.memory:
        given = described.workers, millicores(described.cpu), byte_count(described.memory), described.pods
        real = workers, cpu, memory, pods
        too_much = {key for key, said, has in zip(values, given, real, strict=True) if said > has}
    for key, value in values.items():
        if key in too_much:
            yield Setting(section="cluster", key=key, value=value)
