"""What a tenant's pods may use and how they come and go: parts of `platform.yaml`, and props of the constructs."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from constructs_lib.platform._section import Section, refusal, refuse, refuse_all
from constructs_lib.platform.quantities import Cpu, Memory, byte_count, cpu_text, memory_text, millicores
from constructs_lib.platform.validators import Cidr, Port

Count = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, ge=1)]


class Requests(Section):
    """What a pod is sure to get; the scheduler and the autoscaler's percentage count in it."""

    cpu: Cpu = "250m"
    """CPU that is kept free for a pod; less than its limit, so that the autoscaler acts before throttling does."""
    memory: Memory = "256Mi"
    """Memory that is kept free for a pod."""


class Limits(Section):
    """What a pod never exceeds: above its CPU it is throttled, above its memory killed."""

    cpu: Cpu = "500m"
    """CPU that a pod may use at most."""
    memory: Memory = "512Mi"
    """Memory that a pod may use at most."""


class Resources(Section):
    """CPU and memory of one pod."""

    requests: Requests = Requests()
    """What a pod is sure to get."""
    limits: Limits = Limits()
    """What a pod never exceeds; no other pod of the namespace may either."""

    @model_validator(mode="after")
    def _requests_within_limits(self) -> Self:
        requests, limits = self.requests, self.limits
        above = {
            "cpu": millicores(requests.cpu) > millicores(limits.cpu),
            "memory": byte_count(requests.memory) > byte_count(limits.memory),
        }
        refuse_all(
            [
                refusal(
                    f"is at most the limit, {getattr(limits, key)}",
                    f"lower it or raise limits.{key}",
                    at=("requests", key),
                )
                for key, is_above in above.items()
                if is_above
            ]
        )
        return self


class Autoscaling(Section):
    """How many pods serve a tenant."""

    min_replicas: Positive = 2
    """Pods at rest; two at least, so that one may fail or move."""
    max_replicas: Positive = 10
    """Pods under load at most."""
    target_cpu_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 50
    """Share of the requested CPU, in percent, that the autoscaler keeps the pods at."""
    scale_up_pods: Positive = 2
    """Pods that are added at a time."""
    scale_down_after_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 300
    """Seconds of low load before pods are taken away."""

    @model_validator(mode="after")
    def _min_within_max(self) -> Self:
        if self.min_replicas > self.max_replicas:
            rule = f"is at most maxReplicas, {self.max_replicas}"
            refuse(rule, "lower it or raise maxReplicas", at=("minReplicas",))
        return self


class Rollout(Section):
    """How pods are replaced without a failed request."""

    surge: Positive = 1
    """Pods above the wanted number while a new version comes up; no pod goes before its successor is ready."""
    pre_stop_seconds: Count = 5
    """Seconds that a pod goes on serving after it was told to stop, until every node has heard of it."""
    drain_seconds: Positive = 20
    """Seconds in which a stopping pod ends what it has begun."""
    grace_seconds: Positive = 30
    """Seconds after which a stopping pod is killed."""

    @model_validator(mode="after")
    def _grace_holds_both(self) -> Self:
        if self.grace_seconds <= self.pre_stop_seconds + self.drain_seconds:
            refuse(
                f"is more than preStopSeconds + drainSeconds, {self.pre_stop_seconds} + {self.drain_seconds}",
                "raise it or lower one of them",
                at=("graceSeconds",),
            )
        return self


class Quota(Section):
    """What all pods of a tenant's namespace may use together; what is left out is computed.

    It holds the autoscaler's maximum, a rolling update's surge, a whole set of pods that is still terminating (they
    count until they are gone), and some guests.
    """

    guests: Count = 4
    """Pods beside the service's own that find room: probes, load generators, debugging."""
    pods: Positive | None = None
    """Pods; absent: as many as are needed."""
    cpu: Cpu | None = None
    """Sum of the CPU limits; absent: as much as is needed."""
    memory: Memory | None = None
    """Sum of the memory limits; absent: as much as is needed."""

    def needed_pods(self, autoscaling: Autoscaling, rollout: Rollout) -> int:
        """Pods that must find room: maximum + surge + a set that is still terminating + guests."""
        return 2 * autoscaling.max_replicas + rollout.surge + self.guests

    def hard(self, resources: Resources, autoscaling: Autoscaling, rollout: Rollout) -> dict[str, str]:
        """The limits of the ResourceQuota, by their Kubernetes names; a guest counts like a pod of the service."""
        pods = self.needed_pods(autoscaling, rollout)
        limits, requests = resources.limits, resources.requests
        return {
            "pods": str(self.pods or pods),
            "requests.cpu": cpu_text(pods * millicores(requests.cpu)),
            "requests.memory": memory_text(pods * byte_count(requests.memory)),
            "limits.cpu": self.cpu or cpu_text(pods * millicores(limits.cpu)),
            "limits.memory": self.memory or memory_text(pods * byte_count(limits.memory)),
            "services.nodeports": "0",
            "services.loadbalancers": "0",
        }

    def check(self, resources: Resources, autoscaling: Autoscaling, rollout: Rollout) -> None:
        """Refuse a quota that would stop the autoscaler at its maximum or a rolling update there."""
        pods = self.needed_pods(autoscaling, rollout)
        cpu, memory = pods * millicores(resources.limits.cpu), pods * byte_count(resources.limits.memory)
        total = (
            f"{autoscaling.max_replicas} + {rollout.surge} + {autoscaling.max_replicas} + {self.guests} = {pods} pods"
        )
        refuse_all(
            [
                refusal(
                    f"is at least {least}: maxReplicas + surge + a set still terminating + guests is {total}",
                    f"raise it to {least}, leave it out, or lower autoscaling.maxReplicas or quota.guests",
                    at=(key,),
                )
                for key, short, least in (
                    ("pods", self.pods is not None and self.pods < pods, str(pods)),
                    ("cpu", self.cpu is not None and millicores(self.cpu) < cpu, cpu_text(cpu)),
                    ("memory", self.memory is not None and byte_count(self.memory) < memory, memory_text(memory)),
                )
                if short
            ]
        )


class Egress(Section):
    """A network that pods may reach."""

    cidr: Cidr
    """The network, in CIDR notation, IPv4 or IPv6."""
    port: Port
    """Port there."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Protocol."""

    @model_validator(mode="after")
    def _is_not_everything(self) -> Self:
        if ipaddress.ip_network(self.cidr).prefixlen == 0:
            refuse("is not every address: that would open the cluster's own, too", "name the network", at=("cidr",))
        return self
