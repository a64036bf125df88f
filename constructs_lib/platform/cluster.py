"""The cluster that a platform runs on, as `platform.yaml` describes it."""

from pydantic import Field

from constructs_lib.platform._section import Section
from constructs_lib.platform.quantities import Cpu, Memory


class Cluster(Section):
    """The machines that pods run on, all of one size: what may be requested there (a node's `allocatable`)."""

    workers: int = Field(default=4, strict=True, ge=1)
    """Number of machines."""
    cpu: Cpu
    """CPU of one machine."""
    memory: Memory
    """Memory of one machine."""
    pods: int = Field(default=110, strict=True, ge=1)
    """Pods that one machine takes at most."""
    reserved_cpu: Cpu = "300m"
    """CPU of each machine that is not for tenants: monitoring, store, DNS, the nodes' own."""
    reserved_memory: Memory = "640Mi"
    """Memory of each machine that is not for tenants."""
    reserved_pods: int = Field(default=10, strict=True, ge=0)
    """Pods of each machine that are not tenants'."""

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"{workers} of {self.cpu} CPU and {self.memory}"
