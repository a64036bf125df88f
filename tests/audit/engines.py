"""The engines that a proof asks, behind one question."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final, Protocol

import audit
from audit.engine.outside import Outside
from audit.model.policies import Direction
from tests.audit.reference import Assumptions, Object, Reference, Verdict


class Engine(Protocol):
    """Anything that says whether a connection is let through."""

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""


class Audit:
    """The engine under proof, as `tenantry audit explain` asks it: one connection at a time."""

    def __init__(self, objects: Iterable[Object], assumptions: Assumptions) -> None:
        self.cluster = _read(objects, assumptions)

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""
        return self.cluster.verdict(source, destination, port, protocol=protocol).verdict.value


class AuditAtOnce:
    """The engine under proof, as `tenantry audit reach` asks it: all pairs and all addresses at once."""

    def __init__(self, objects: Iterable[Object], assumptions: Assumptions) -> None:
        cluster = _read(objects, assumptions)
        self._reach = cluster.reach()
        self._outside = Outside(self._reach.ports, cluster.judge, cluster.assumptions)
        self._classes = {
            workload.reference: number for number, each in enumerate(self._reach.classes) for workload in each.workloads
        }

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""
        ports = self._reach.ports.one(protocol, port)
        if source not in self._classes:
            return self._of_address(source, destination, Direction.INGRESS, ports)
        if destination not in self._classes:
            return self._of_address(destination, source, Direction.EGRESS, ports)
        flow = self._reach.between(self._classes[source], self._classes[destination])
        return "allowed" if flow.allowed & ports else "unknown" if flow.unknown & ports else "denied"

    def _of_address(self, address: str, pod: str, direction: Direction, ports: int) -> Verdict:
        one, endpoint = ip_address(address), self._reach.classes[self._classes[pod]].endpoint
        cells = [cell for cell in self._outside.cells(endpoint, direction) if cell.ports & ports]
        if any(one in cell.certain for cell in cells):
            return "allowed"
        return "unknown" if any(one in cell.possible for cell in cells) else "denied"


def _read(objects: Iterable[Object], assumptions: Assumptions) -> audit.Cluster:
    assumed = audit.Assumptions(pod_cidrs=assumptions.pod_cidrs, ip_blocks_cover_pods=assumptions.ip_blocks_cover_pods)
    return audit.read.objects(objects, assumptions=assumed)


ENGINES: Final[dict[str, Callable[[Iterable[Object], Assumptions], Engine]]] = {
    "audit": Audit,
    "audit at once": AuditAtOnce,
    "reference": Reference,
}
