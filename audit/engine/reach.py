"""All pairs at once: which classes reach which, on which ports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.engine import bits
from audit.engine.judge import Judge
from audit.engine.matching import Matcher
from audit.engine.port_space import PortSpace
from audit.engine.references import References
from audit.engine.rows import Arriving, Row, Rows, transposed
from audit.engine.universe import PodClass, Universe
from audit.model.inventory import Inventory
from audit.model.policies import Direction

_FEW: Final = 64
"""Up to so many sets of ports a partition of classes is refined; beyond, classes are taken one by one."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Classes that a source reaches alike.

    Attributes:
        destinations: The classes.
        allowed: Ports on which it certainly reaches them.
        unknown: Ports for which the input does not decide.
    """

    destinations: int
    allowed: int
    unknown: int


class Reach:
    """Who reaches whom in one cluster.

    Attributes:
        universe: The classes and the space of ports.
        egress: What each class's egress policies say.
        ingress: What each class's ingress policies say.
    """

    def __init__(self, inventory: Inventory, matcher: Matcher, judge: Judge, references: References) -> None:
        self.universe = Universe(inventory, matcher, references)
        rows = Rows(self.universe, judge)
        self.egress = [rows.row(each.endpoint, Direction.EGRESS) for each in self.universe.classes]
        self.ingress = [rows.row(each.endpoint, Direction.INGRESS) for each in self.universe.classes]
        self._arriving = transposed(self.ingress, len(self.universe.classes))
        self._flows: dict[int, tuple[Flow, ...]] = {}

    @property
    def classes(self) -> Sequence[PodClass]:
        """The classes, by number."""
        return self.universe.classes

    @property
    def ports(self) -> PortSpace:
        """The space of ports."""
        return self.universe.ports

    def flows(self, source: int) -> tuple[Flow, ...]:
        """What a class reaches; classes that it does not reach are left out."""
        found = self._flows.get(source)
        if found is None:
            combined = _combined(self.egress[source], self._arriving[source])
            found = self._flows[source] = tuple(self._with_itself(source, combined))
        return found

    def let_in(self, source: int) -> Arriving:
        """What lets a class in, whatever the class's own policies say."""
        return self._arriving[source]

    def between(self, source: int, destination: int) -> Flow:
        """What a class reaches of another."""
        bit = 1 << destination
        for flow in self.flows(source):
            if flow.destinations & bit:
                return Flow(bit, flow.allowed, flow.unknown)
        return Flow(bit, 0, 0)

    def _with_itself(self, source: int, flows: Iterable[Flow]) -> Iterable[Flow]:
        """A single pod reaches itself, whatever policies say."""
        endpoint = self.classes[source].endpoint
        if not endpoint.single:
            return flows
        bit = 1 << source
        others = [Flow(flow.destinations & ~bit, flow.allowed, flow.unknown) for flow in flows]
        return [*(flow for flow in others if flow.destinations), Flow(bit, self.ports.everything, 0)]


def _combined(leaving: Row, arriving: Arriving) -> Iterable[Flow]:
    """What passes both sides, by the classes that are reached alike."""
    certain = _passing([(cell.ports, cell.certain) for cell in leaving], arriving.certain)
    possible = _passing([(cell.ports, cell.possible) for cell in leaving], arriving.possible)
    if len(possible) > _FEW:
        return _one_by_one(certain, possible)
    everything = 0
    for reached in possible.values():
        everything |= reached
    parts: list[tuple[int, int, int]] = [(everything, 0, 0)] if everything else []
    for number, found in enumerate((certain, possible)):
        for ports, reached in found.items():
            parts = [each for part in parts for each in _split(part, reached, ports, number)]
    return _merged(parts)


def _passing(leaving: Sequence[tuple[int, int]], arriving: Sequence[tuple[int, int]]) -> dict[int, int]:
    """By ports, the classes that both sides let through."""
    found: dict[int, int] = {}
    for out_ports, out_classes in leaving:
        for in_ports, in_classes in arriving:
            ports = out_ports & in_ports
            reached = out_classes & in_classes if ports else 0
            if reached:
                found[ports] = found.get(ports, 0) | reached
    return found


def _split(part: tuple[int, int, int], reached: int, ports: int, number: int) -> Iterable[tuple[int, int, int]]:
    """A part of the classes, split into those that are reached on more ports and those that are not."""
    classes, certain, possible = part
    inside, outside = classes & reached, classes & ~reached
    if inside:
        yield (inside, certain | ports, possible) if number == 0 else (inside, certain, possible | ports)
    if outside:
        yield outside, certain, possible


def _one_by_one(certain: dict[int, int], possible: dict[int, int]) -> Iterable[Flow]:
    """The same, class by class: for a source that reaches many classes on ports of their own."""
    found: dict[int, list[int]] = {}
    for number, masks in enumerate((certain, possible)):
        for ports, reached in masks.items():
            for destination in bits.members(reached):
                found.setdefault(destination, [0, 0])[number] |= ports
    return _merged((1 << destination, sure, maybe) for destination, (sure, maybe) in found.items())


def _merged(parts: Iterable[tuple[int, int, int]]) -> Iterable[Flow]:
    classes: dict[tuple[int, int], int] = {}
    for members, certain, possible in parts:
        key = (certain, possible & ~certain)
        classes[key] = classes.get(key, 0) | members
    return [Flow(members, certain, unknown) for (certain, unknown), members in classes.items()]
