"""The part `platform.cluster` of `platform.yaml`: the size of the cluster's nodes."""

from pydantic import Field

from constructs_lib.platform._quantities import Cpu, Memory
from constructs_lib.platform._section import Section


class Cluster(Section):
    """The worker nodes, all of one size, by what they have allocatable."""

    workers: int = Field(default=4, strict=True, ge=1)
    """Number of worker nodes."""
    cpu: Cpu
    """CPU of one node."""
    memory: Memory
    """Memory of one node."""
    pods: int = Field(default=110, strict=True, ge=1)
    """Maximum number of pods per node."""
    reserved_cpu: Cpu = "300m"
    """CPU of each node that is not available to tenants: monitoring, object store, DNS, system pods."""
    reserved_memory: Memory = "640Mi"
    """Memory of each node that is not available to tenants."""
    reserved_pods: int = Field(default=10, strict=True, ge=0)
    """Pods per node that do not belong to tenants."""

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"{workers} of {self.cpu} CPU and {self.memory}"
