"""What a platform needs, and whether a cluster can hold it: by requests, pod by pod and machine by machine.

The scheduler counts in the same way; what pods really use is not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.platform.cluster import Cluster
from constructs_lib.platform.document import Tenant
from constructs_lib.platform.quantities import byte_count, millicores


@dataclass(frozen=True, kw_only=True)
class Room:
    """CPU (millicores), memory (bytes) and pods: what is needed, or what is free on one machine."""

    cpu: int
    memory: int
    pods: int

    def __add__(self, other: "Room") -> "Room":
        return Room(cpu=self.cpu + other.cpu, memory=self.memory + other.memory, pods=self.pods + other.pods)

    def times(self, count: int) -> "Room":
        """So many of it."""
        return Room(cpu=self.cpu * count, memory=self.memory * count, pods=self.pods * count)

    def minus(self, other: "Room") -> "Room | None":
        """What is left without `other`; None where it does not fit."""
        left = Room(cpu=self.cpu - other.cpu, memory=self.memory - other.memory, pods=self.pods - other.pods)
        return left if min(left.cpu, left.memory, left.pods) >= 0 else None


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a tenant's pods request: one pod, at rest, and at most (the autoscaler's maximum in a rolling update)."""

    tenant: str
    pod: Room
    minimum: Room
    maximum: Room


def need(tenant: Tenant) -> Need:
    """What one tenant needs."""
    requests, scaling = tenant.resources.requests, tenant.autoscaling
    pod = Room(cpu=millicores(requests.cpu), memory=byte_count(requests.memory), pods=1)
    most = scaling.max_replicas + tenant.rollout.surge
    return Need(tenant=tenant.name, pod=pod, minimum=pod.times(scaling.min_replicas), maximum=pod.times(most))


def total(rooms: Sequence[Room]) -> Room:
    """All of them together."""
    return sum(rooms, start=Room(cpu=0, memory=0, pods=0))


def machines(cluster: Cluster) -> tuple[Room, ...]:
    """What each machine has for tenants."""
    one = Room(
        cpu=max(millicores(cluster.cpu) - millicores(cluster.reserved_cpu), 0),
        memory=max(byte_count(cluster.memory) - byte_count(cluster.reserved_memory), 0),
        pods=max(cluster.pods - cluster.reserved_pods, 0),
    )
    return (one,) * cluster.workers


def homeless(pods: Sequence[Room], free: Sequence[Room]) -> int:
    """How many of `pods` find no machine: the largest first, each onto the first one that has room."""
    rooms, left_out = list(free), 0
    for pod in sorted(pods, key=lambda each: (each.cpu, each.memory), reverse=True):
        for index, room in enumerate(rooms):
            rest = room.minus(pod)
            if rest is not None:
                rooms[index] = rest
                break
        else:
            left_out += 1
    return left_out


def tenants_like(needed: Need, free: Sequence[Room]) -> tuple[int, int]:
    """For how many tenants of this kind alone the machines have room, at rest and at most."""
    pods = sum(min(room.cpu // needed.pod.cpu, room.memory // needed.pod.memory, room.pods) for room in free)
    return pods // needed.minimum.pods, pods // needed.maximum.pods


def shortfall(tenants: Sequence[Tenant], cluster: Cluster) -> str | None:
    """A line for whoever wrote the file, when the cluster that it describes cannot hold its tenants; else None."""
    needs, free = [need(tenant) for tenant in tenants], machines(cluster)
    for state, rooms in (("at rest", [each.minimum for each in needs]), ("at most", [each.maximum for each in needs])):
        pods = [each.pod for each, room in zip(needs, rooms, strict=True) for _ in range(room.pods)]
        if missing := homeless(pods, free):
            return (
                f"the described cluster ({cluster}) has no room for {missing} of the {len(pods)} pods that the tenants "
                f"have {state}: add workers, or lower requests or maxReplicas; 'tenantry plan' says more"
            )
    return None
