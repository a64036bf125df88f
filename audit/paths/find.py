"""Finds the ways from one tenant to others, over all planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.cluster import Cluster
from audit.paths.controllers import ControllersPlane
from audit.paths.graph import Kind, Node, Plane, Step
from audit.paths.landscape import Landscape
from audit.paths.manifests import ManifestsPlane
from audit.paths.metrics import MetricsPlane
from audit.paths.network import NetworkPlane
from audit.paths.nodes import NodesPlane
from audit.paths.permissions import PermissionsPlane
from audit.paths.pods import PodsPlane
from audit.paths.search import Way, shortest
from audit.paths.sharing import SharingPlane


@dataclass(frozen=True, slots=True)
class Searched:
    """What a plane looked at.

    Attributes:
        plane: Its name.
        what: What it looked at: how many of what.
        unknown: What the input does not say, in words.
    """

    plane: str
    what: Mapping[str, int]
    unknown: tuple[str, ...]


class Paths:
    """The graph of one input.

    Attributes:
        planes: What is searched.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._land = Landscape(cluster)
        self.planes: Sequence[Plane] = (
            PermissionsPlane(self._land),
            PodsPlane(self._land),
            SharingPlane(self._land),
            MetricsPlane(self._land),
            ManifestsPlane(self._land),
            ControllersPlane(self._land),
            NetworkPlane(self._land),
            NodesPlane(self._land),
        )

    @property
    def searched(self) -> list[Searched]:
        """What was looked at, and what is not known."""
        return [Searched(each.name, each.searched, tuple(each.unknown)) for each in self.planes]

    def starts(self, namespaces: Sequence[str]) -> list[Node]:
        """What a tenant with some namespaces has."""
        return [node for namespace in namespaces for node in self._land.starts(namespace)]

    def others(self, namespaces: Sequence[str]) -> list[str]:
        """Every namespace but some."""
        return [each for each in self._land.namespaces if each not in set(namespaces)]

    def find(self, sources: Sequence[str], targets: Sequence[str]) -> list[Way]:
        """A shortest way to everything in some namespaces that can be reached from others.

        Args:
            sources: Namespaces of the tenant that begins.
            targets: Namespaces in which ways end.

        Returns:
            The ways whose every step is certain, then those to what is reached only if what the input does not say
            turns out so; the shortest first.
        """
        starts, ends = self.starts(sources), frozenset(targets)

        def is_end(node: Node) -> bool:
            return node.namespace in ends and node.kind is not Kind.NODE

        seen: dict[Node, list[Step]] = {}

        def steps(node: Node) -> list[Step]:
            if node not in seen:
                seen[node] = [step for plane in self.planes for step in plane.steps(node)]
            return seen[node]

        found = list(shortest(starts, steps, is_end, certain=True))
        if all(step.certain for each in seen.values() for step in each):
            return found
        reached = {each.end for each in found}
        possible = shortest(starts, steps, is_end, certain=False)
        return [*found, *(each for each in possible if each.end not in reached)]
