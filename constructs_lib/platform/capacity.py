"""What the tenants' pods request, and whether a cluster can schedule them, pod by pod and node by node.

Only requests count, as for the scheduler; actual usage does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from constructs_lib.platform._quantities import byte_count, millicores
from constructs_lib.platform.cluster import ClusterSettings
from constructs_lib.platform.sidecars import pod_resources
from constructs_lib.platform.tenant import Tenant


@dataclass(frozen=True, kw_only=True)
class ResourceList:
    """CPU (millicores), memory (bytes) and pods: what is requested, or what one node has allocatable."""

    cpu: int
    memory: int
    pods: int

    def __add__(self, other: "ResourceList") -> "ResourceList":
        return ResourceList(cpu=self.cpu + other.cpu, memory=self.memory + other.memory, pods=self.pods + other.pods)

    def times(self, count: int) -> "ResourceList":
        """The sum of `count` such lists."""
        return ResourceList(cpu=self.cpu * count, memory=self.memory * count, pods=self.pods * count)

    def minus(self, other: "ResourceList") -> "ResourceList | None":
        """What is left without `other`; None if `other` does not fit."""
        left = ResourceList(cpu=self.cpu - other.cpu, memory=self.memory - other.memory, pods=self.pods - other.pods)
        return left if min(left.cpu, left.memory, left.pods) >= 0 else None


@dataclass(frozen=True, kw_only=True)
class TenantRequests:
    """What a tenant's pods request.

    Args:
        tenant: name of the tenant.
        pod: the requests of one pod.
        minimum: all pods at the autoscaler's minimum.
        maximum: all pods at the autoscaler's maximum during a rolling update.
    """

    tenant: str
    pod: ResourceList
    minimum: ResourceList
    maximum: ResourceList


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How the tenants fit into a cluster.

    Args:
        unschedulable_at_minimum: pods that no node can take, of those at the autoscalers' minimum.
        unschedulable_at_maximum: the same at the autoscalers' maximum.
        similar_tenants: for each tenant, how many tenants of its size the empty cluster can hold, at their minimum
            and at their maximum.
    """

    unschedulable_at_minimum: int
    unschedulable_at_maximum: int
    similar_tenants: Mapping[str, tuple[int, int]]


def requests_of(tenant: Tenant) -> TenantRequests:
    """What one tenant's pods request."""
    requests, scaling = pod_resources(tenant.resources, tenant.sidecars).requests, tenant.autoscaling
    pod = ResourceList(cpu=millicores(requests.cpu), memory=byte_count(requests.memory), pods=1)
    most = scaling.max_replicas + tenant.rollout.surge
    return TenantRequests(tenant=tenant.name, pod=pod, minimum=pod.times(scaling.min_replicas), maximum=pod.times(most))


def total(lists: Sequence[ResourceList]) -> ResourceList:
    """The sum of all of them."""
    return sum(lists, start=ResourceList(cpu=0, memory=0, pods=0))


def allocatable(cluster: ClusterSettings) -> tuple[ResourceList, ...]:
    """What each node has for tenants.

    Raises:
        ValueError: the size of the nodes is unknown.
    """
    if cluster.cpu is None or cluster.memory is None:
        raise ValueError("the size of the cluster's nodes is unknown; set platform.cluster.cpu and memory")
    node = ResourceList(
        cpu=max(millicores(cluster.cpu) - millicores(cluster.reserved_cpu), 0),
        memory=max(byte_count(cluster.memory) - byte_count(cluster.reserved_memory), 0),
        pods=max(cluster.pods - cluster.reserved_pods, 0),
    )
    return (node,) * cluster.workers


def fit(requests: Sequence[TenantRequests], cluster: ClusterSettings) -> Fit:
    """Place all tenants' pods on the nodes of a cluster."""
    nodes = allocatable(cluster)
    return Fit(
        unschedulable_at_minimum=unschedulable(
            [each.pod for each in requests for _ in range(each.minimum.pods)], nodes
        ),
        unschedulable_at_maximum=unschedulable(
            [each.pod for each in requests for _ in range(each.maximum.pods)], nodes
        ),
        similar_tenants={each.tenant: tenants_that_fit(each, nodes) for each in requests},
    )


def unschedulable(pods: Sequence[ResourceList], nodes: Sequence[ResourceList]) -> int:
    """How many of `pods` no node can take: the largest first, each on the first node with enough left."""
    free, left_over = list(nodes), 0
    for pod in sorted(pods, key=lambda each: (each.cpu, each.memory), reverse=True):
        for index, node in enumerate(free):
            rest = node.minus(pod)
            if rest is not None:
                free[index] = rest
                break
        else:
            left_over += 1
    return left_over


def tenants_that_fit(requests: TenantRequests, nodes: Sequence[ResourceList]) -> tuple[int, int]:
    """How many tenants of this size, and no others, the nodes can hold at their minimum and at their maximum."""
    pod = requests.pod
    pods = sum(min(node.cpu // pod.cpu, node.memory // pod.memory, node.pods) for node in nodes)
    return pods // requests.minimum.pods, pods // requests.maximum.pods


def shortfall(tenants: Sequence[Tenant], cluster: ClusterSettings) -> str | None:
    """A warning, in one line, that the described cluster cannot hold its tenants; None if it can."""
    requests = [requests_of(tenant) for tenant in tenants]
    fits = fit(requests, cluster)
    for state, missing, pods in (
        ("minimum", fits.unschedulable_at_minimum, sum(each.minimum.pods for each in requests)),
        ("maximum", fits.unschedulable_at_maximum, sum(each.maximum.pods for each in requests)),
    ):
        if missing:
            return (
                f"{missing} of the {pods} pods that the tenants run at their {state} are unschedulable on the "
                f"described cluster ({cluster}): add workers, or lower requests or maxReplicas; see 'tenantry plan'"
            )
    return None
