"""Resources, scaling and rollout of a tenant's pods: parts of `platform.yaml` and props of the constructs."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from constructs_lib.platform._quantities import Cpu, Memory, PodCpu, byte_count, cpu_text, memory_text, millicores
from constructs_lib.platform._section import Section, refusal, refuse, refuse_all
from constructs_lib.platform.validators import Cidr, Port
from constructs_lib.special_purpose_addresses import metadata_address

Count = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, ge=1)]


class _PodResources(Section):
    cpu: PodCpu
    memory: Memory
    ephemeral_storage: Memory

    def manifest(self) -> dict[str, str]:
        """The quantities by their Kubernetes names."""
        return {"cpu": self.cpu, "ephemeral-storage": self.ephemeral_storage, "memory": self.memory}


class Requests(_PodResources):
    """What a pod is guaranteed; the scheduler and the autoscaler's percentage use these values."""

    cpu: PodCpu = "250m"
    """CPU reserved for each pod; lower than the limit, so that the autoscaler reacts before throttling begins."""
    memory: Memory = "256Mi"
    """Memory reserved for each pod."""
    ephemeral_storage: Memory = "128Mi"
    """Disk space of the node reserved for each pod: logs and `/tmp`."""


class Limits(_PodResources):
    """The most that a pod may use.

    A pod is throttled at the CPU limit, killed above the memory limit, and evicted above the storage limit.
    """

    cpu: PodCpu = "500m"
    """CPU limit of each pod."""
    memory: Memory = "512Mi"
    """Memory limit of each pod."""
    ephemeral_storage: Memory = "256Mi"
    """Limit of the node's disk space that each pod may use: logs (up to 50Mi) and `/tmp` (up to 64Mi)."""


class Resources(Section):
    """CPU, memory and disk space of each pod."""

    requests: Requests = Requests()
    """What each pod is guaranteed."""
    limits: Limits = Limits()
    """The most that each pod may use; the limit applies to every pod of the namespace."""

    @model_validator(mode="after")
    def _requests_within_limits(self) -> Self:
        requests, limits = self.requests, self.limits
        above = {
            "cpu": millicores(requests.cpu) > millicores(limits.cpu),
            "memory": byte_count(requests.memory) > byte_count(limits.memory),
            "ephemeralStorage": byte_count(requests.ephemeral_storage) > byte_count(limits.ephemeral_storage),
        }
        allowed = limits.model_dump(by_alias=True)
        refuse_all(
            [
                refusal(
                    f"must be at most the limit ({allowed[key]})",
                    f"lower it or raise limits.{key}",
                    at=("requests", key),
                )
                for key, is_above in above.items()
                if is_above
            ]
        )
        return self


class Autoscaling(Section):
    """Number of pods and when it changes."""

    min_replicas: Positive = 2
    """Minimum number of pods; use at least two, so that one can fail or be moved."""
    max_replicas: Positive = 10
    """Maximum number of pods."""
    target_cpu_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 50
    """Average CPU usage, in percent of the request, at which the autoscaler keeps the pods."""
    scale_up_pods: Positive = 2
    """Number of pods added at a time."""
    scale_down_after_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 300
    """Seconds of low load before pods are removed."""

    @model_validator(mode="after")
    def _min_within_max(self) -> Self:
        if self.min_replicas > self.max_replicas:
            rule = f"must be at most maxReplicas ({self.max_replicas})"
            refuse(rule, "lower it or raise maxReplicas", at=("minReplicas",))
        return self


class Rollout(Section):
    """How pods are replaced without a failed request."""

    surge: Positive = 1
    """Additional pods during a rolling update; no pod stops before its replacement is ready."""
    pre_stop_seconds: Count = 5
    """Seconds that a terminating pod continues to serve, until all nodes stop sending traffic to it."""
    drain_seconds: Positive = 20
    """Seconds that a terminating pod has to finish requests that are in progress."""
    grace_seconds: Positive = 30
    """Seconds after which a terminating pod is killed."""

    @model_validator(mode="after")
    def _grace_holds_both(self) -> Self:
        if self.grace_seconds <= self.pre_stop_seconds + self.drain_seconds:
            refuse(
                f"must be greater than preStopSeconds + drainSeconds ({self.pre_stop_seconds} + {self.drain_seconds})",
                "raise it or lower one of them",
                at=("graceSeconds",),
            )
        return self


class Quota(Section):
    """Limits of the tenant's whole namespace; values that are not set are computed.

    The computed quota allows the autoscaler's maximum, the surge of a rolling update, a full set of pods that are still
    terminating (they count until they are gone), and the headroom.
    """

    headroom_pods: Count = 4
    """Additional pods that the quota allows beside the service's own: probes, load generators, debugging."""
    pods: Positive | None = None
    """Maximum number of pods; computed if absent."""
    cpu: Cpu | None = None
    """Sum of the CPU limits; computed if absent."""
    memory: Memory | None = None
    """Sum of the memory limits; computed if absent."""
    ephemeral_storage: Memory | None = None
    """Sum of the limits of disk space; computed if absent."""

    def required_pods(self, autoscaling: Autoscaling, rollout: Rollout) -> int:
        """Pods that the quota must allow: maximum + surge + a full set that is still terminating + headroom."""
        return 2 * autoscaling.max_replicas + rollout.surge + self.headroom_pods

    def hard(self, resources: Resources, autoscaling: Autoscaling, rollout: Rollout) -> dict[str, str]:
        """`spec.hard` of the ResourceQuota; a headroom pod counts like a pod of the service."""
        pods = self.required_pods(autoscaling, rollout)
        limits, requests = resources.limits, resources.requests
        return {
            "pods": str(self.pods or pods),
            "requests.cpu": cpu_text(pods * millicores(requests.cpu)),
            "requests.memory": memory_text(pods * byte_count(requests.memory)),
            "limits.cpu": self.cpu or cpu_text(pods * millicores(limits.cpu)),
            "limits.memory": self.memory or memory_text(pods * byte_count(limits.memory)),
            "requests.ephemeral-storage": memory_text(pods * byte_count(requests.ephemeral_storage)),
            "limits.ephemeral-storage": self.ephemeral_storage
            or memory_text(pods * byte_count(limits.ephemeral_storage)),
            "services.nodeports": "0",
            "services.loadbalancers": "0",
        }

    def check(self, resources: Resources, autoscaling: Autoscaling, rollout: Rollout) -> None:
        """Refuse a quota that would prevent the autoscaler's maximum, or a rolling update at the maximum."""
        pods = self.required_pods(autoscaling, rollout)
        limits = resources.limits
        cpu, memory = pods * millicores(limits.cpu), pods * byte_count(limits.memory)
        storage = pods * byte_count(limits.ephemeral_storage)
        parts = (autoscaling.max_replicas, rollout.surge, autoscaling.max_replicas, self.headroom_pods)
        total = f"{' + '.join(map(str, parts))} = {pods} pods"
        refuse_all(
            [
                refusal(
                    f"must be at least {least}: maxReplicas + surge + terminating pods + headroom is {total}",
                    f"raise it to {least}, remove it, or lower autoscaling.maxReplicas or quota.headroomPods",
                    at=(key,),
                )
                for key, short, least in (
                    ("pods", self.pods is not None and self.pods < pods, str(pods)),
                    ("cpu", self.cpu is not None and millicores(self.cpu) < cpu, cpu_text(cpu)),
                    ("memory", self.memory is not None and byte_count(self.memory) < memory, memory_text(memory)),
                    (
                        "ephemeralStorage",
                        self.ephemeral_storage is not None and byte_count(self.ephemeral_storage) < storage,
                        memory_text(storage),
                    ),
                )
                if short
            ]
        )


class Egress(Section):
    """A network that the tenant's pods may connect to."""

    cidr: Cidr
    """The network, in CIDR notation, IPv4 or IPv6."""
    port: Port
    """Destination port."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Protocol of the connection."""

    @model_validator(mode="after")
    def _is_not_everything(self) -> Self:
        if ipaddress.ip_network(self.cidr).prefixlen == 0:
            refuse(
                "must not be the whole address space, which includes the cluster's own addresses",
                "name the network",
                at=("cidr",),
            )
        if address := metadata_address(self.cidr):
            rule = f"must not contain {address}, where clouds offer the node's credentials"
            refuse(rule, "name a smaller network", at=("cidr",))
        return self
