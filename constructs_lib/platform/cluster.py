"""The part `platform.cluster` of `platform.yaml`: the kind of cluster, and the size of its nodes."""

from typing import Self

from pydantic import Field, model_validator

from constructs_lib.platform._quantities import Cpu, Memory
from constructs_lib.platform._section import Section, refuse
from constructs_lib.platform.profiles import ProfileName


class ClusterSettings(Section):
    """The kind of cluster, and its worker nodes, all of one size, by what they have allocatable."""

    profile: ProfileName = "generic"
    """Kind of cluster. It sets defaults of other keys of `platform`, which `tenantry plan` shows; docs/operations has a
    page per profile."""
    workers: int = Field(default=4, strict=True, ge=1)
    """Number of worker nodes."""
    cpu: Cpu | None = None
    """CPU of one node; with `memory`, `tenantry plan` shows whether the tenants fit."""
    memory: Memory | None = None
    """Memory of one node."""
    pods: int = Field(default=110, strict=True, ge=1)
    """Maximum number of pods per node."""
    reserved_cpu: Cpu = "300m"
    """CPU of each node that is not available to tenants: monitoring, object store, DNS, system pods."""
    reserved_memory: Memory = "640Mi"
    """Memory of each node that is not available to tenants."""
    reserved_pods: int = Field(default=10, strict=True, ge=0)
    """Pods per node that do not belong to tenants."""

    @model_validator(mode="after")
    def _has_both_sizes(self) -> Self:
        if (self.cpu is None) != (self.memory is None):
            key = "cpu" if self.cpu is None else "memory"
            refuse("is required, since the other size of a node is set", f"add '{key}'", at=(key,))
        return self

    @property
    def has_size(self) -> bool:
        """Whether the size of the nodes is known."""
        return self.cpu is not None and self.memory is not None

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"{workers} of {self.cpu} CPU and {self.memory}"
