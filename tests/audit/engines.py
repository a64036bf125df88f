"""The engines that a proof asks, behind one question."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import audit
from tests.audit.reference import Assumptions, Object, Reference, Verdict


class Engine(Protocol):
    """Anything that says whether a connection is let through."""

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""


class Audit:
    """The engine under proof."""

    def __init__(self, objects: Iterable[Object], assumptions: Assumptions) -> None:
        assumed = audit.Assumptions(
            pod_cidrs=assumptions.pod_cidrs, ip_blocks_cover_pods=assumptions.ip_blocks_cover_pods
        )
        self.cluster = audit.read.objects(objects, assumptions=assumed)

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""
        return self.cluster.verdict(source, destination, port, protocol=protocol).verdict.value


ENGINES: Final[dict[str, Callable[[Iterable[Object], Assumptions], Engine]]] = {"audit": Audit, "reference": Reference}
