"""Containers that the cluster adds to pods, such as the proxy of a service mesh, and their resources."""

from constructs_lib.platform._quantities import Memory, PodCpu, byte_count, cpu_text, memory_text, millicores
from constructs_lib.platform.workload import Limits, Requests, Resources


class SidecarRequests(Requests):
    """What the added containers of a pod request together."""

    cpu: PodCpu
    """CPU that they reserve in each pod."""
    memory: Memory
    """Memory that they reserve in each pod."""
    ephemeral_storage: Memory = "64Mi"
    """Disk space of the node that they reserve in each pod."""


class SidecarLimits(Limits):
    """The most that the added containers of a pod may use together."""

    cpu: PodCpu
    """Their CPU limit in each pod."""
    memory: Memory
    """Their memory limit in each pod."""
    ephemeral_storage: Memory = "64Mi"
    """Their limit of the node's disk space in each pod."""


class Sidecars(Resources):
    """Containers that the cluster adds to each pod, such as the proxy of a service mesh.

    A container that is added without requests or limits gets these.
    """

    requests: SidecarRequests
    """What they request."""
    limits: SidecarLimits
    """The most that they may use."""


def pod_resources(service: Resources, sidecars: Sidecars | None) -> Resources:
    """What a whole pod requests and may use: the service and what is added to it."""
    if sidecars is None:
        return service
    requests, limits = (service.requests, sidecars.requests), (service.limits, sidecars.limits)
    return Resources(requests=Requests(**_sums(requests)), limits=Limits(**_sums(limits)))


def container_limits(service: Resources, sidecars: Sidecars | None) -> Limits:
    """The most that one container may use: the service's limits, or those of what is added where they are higher."""
    if sidecars is None:
        return service.limits
    own, added = service.limits, sidecars.limits
    return Limits(
        cpu=max(own.cpu, added.cpu, key=millicores),
        memory=max(own.memory, added.memory, key=byte_count),
        ephemeral_storage=max(own.ephemeral_storage, added.ephemeral_storage, key=byte_count),
    )


def _sums(parts: tuple[Requests, Requests] | tuple[Limits, Limits]) -> dict[str, str]:
    return {
        "cpu": cpu_text(sum(millicores(each.cpu) for each in parts)),
        "memory": memory_text(sum(byte_count(each.memory) for each in parts)),
        "ephemeral_storage": memory_text(sum(byte_count(each.ephemeral_storage) for each in parts)),
    }
