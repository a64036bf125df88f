"""What the policies of one side say about all other sides at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.engine import bits
from audit.engine.endpoints import Endpoint
from audit.engine.evaluation import Profile, evaluate
from audit.engine.judge import Judge
from audit.engine.universe import Universe
from audit.model.pods import PROTOCOLS, Pods
from audit.model.policies import Direction, NamedPort, Policy, PortMatch, Ports, Rule

_Condition = tuple[int, int, int]
"""A set of ports, and the classes for which the rule certainly, and may, name it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Ports that one side treats alike.

    Attributes:
        ports: The ports, as a set of the universe's port space.
        certain: The other sides that are certainly allowed.
        possible: The other sides that may be allowed.
    """

    ports: int
    certain: int
    possible: int


Row = tuple[Cell, ...]


class Rows:
    """Rows of one cluster; classes with the same policies share them."""

    def __init__(self, universe: Universe, judge: Judge) -> None:
        self._universe = universe
        self._judge = judge
        self._rows: dict[tuple[object, ...], Row] = {}
        self._conditions: dict[tuple[int, object], list[_Condition]] = {}
        self._peers: dict[int, tuple[int, int]] = {}
        self._open: Row = (Cell(universe.ports.everything, universe.everything, universe.everything),)

    def row(self, endpoint: Endpoint, direction: Direction) -> Row:
        """What the policies of a class say in a direction."""
        pods = endpoint.pods
        if pods is None:
            return self._open
        profile = self._judge.profile(pods, direction)
        named = (pods.ports, pods.open_ports) if direction is Direction.INGRESS else ()
        key = (direction, _identity(profile), named, pods.host_network)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._evaluated(profile, direction, pods)
        return row

    def _evaluated(self, profile: Profile, direction: Direction, pods: Pods) -> Row:
        universe = self._universe
        if not (profile.admin or profile.network or profile.baseline or profile.opaque):
            return self._open
        policies = [policy for policy, _truth in _policies(profile)]
        rules = [rule for policy in policies for rule in policy.rules(direction) or ()]
        conditions = {id(rule): self._ports(rule, direction, pods) for rule in rules}
        cells = [universe.ports.everything]
        for mask in {condition[0] for found in conditions.values() for condition in found}:
            cells = bits.refined(cells, mask)
        return tuple(_joined(self._cell(cell, profile, direction, conditions, pods) for cell in cells))

    def _cell(
        self, cell: int, profile: Profile, direction: Direction, conditions: dict[int, list[_Condition]], pods: Pods
    ) -> Cell:
        def match(policy: Policy, rule: Rule) -> tuple[int, int]:
            port_yes = port_maybe = 0
            for mask, certain, possible in conditions[id(rule)]:
                if mask & cell:
                    port_yes |= certain
                    port_maybe |= possible
            if not port_yes and not port_maybe:
                return 0, 0
            peer_yes, peer_maybe = self._peer(policy, rule)
            yes = peer_yes & port_yes
            return yes, (peer_yes | peer_maybe) & (port_yes | port_maybe) & ~yes

        everything = self._universe.everything
        outcome = evaluate(profile, direction, match, everything=everything, nothing=0)
        denied = outcome.deny | outcome.deny_by_admin
        possible = outcome.allow
        if not pods.host_network:
            possible |= denied & self._universe.on_nodes
        return Cell(cell, everything & ~denied, possible)

    def _peer(self, policy: Policy, rule: Rule) -> tuple[int, int]:
        """The classes that any of a rule's peers matches."""
        found = self._peers.get(id(rule))
        if found is None:
            if rule.peers is None:
                found = (self._universe.everything, 0)
            else:
                yes = maybe = 0
                for peer in rule.peers:
                    certain, possible = self._universe.peer(peer, policy.namespace)
                    yes |= certain
                    maybe |= possible
                found = (yes, maybe & ~yes)
            self._peers[id(rule)] = found
        return found

    def _ports(self, rule: Rule, direction: Direction, pods: Pods) -> list[_Condition]:
        """The ports of a rule: those of the other side for egress, of these pods for ingress."""
        everything = self._universe.everything
        if rule.ports is None:
            return [(self._universe.ports.everything, everything, 0)]
        named = any(isinstance(match, NamedPort) for match in rule.ports)
        key = (id(rule), (pods.ports, pods.open_ports) if named and direction is Direction.INGRESS else None)
        found = self._conditions.get(key)
        if found is None:
            found = [each for match in rule.ports for each in self._port(match, direction, pods)]
            self._conditions[key] = found
        return found

    def _port(self, match: PortMatch, direction: Direction, pods: Pods) -> Iterator[_Condition]:
        space, everything = self._universe.ports, self._universe.everything
        if isinstance(match, Ports):
            yield space.mask(match), everything, 0
            return
        for protocol in PROTOCOLS if match.protocol is None else (match.protocol,):
            if direction is Direction.EGRESS:
                for number, certain, possible in self._universe.named_port(match.name, protocol):
                    mask = space.one(protocol, number) if number else space.mask(Ports(protocol))
                    yield mask, certain, possible
                continue
            if pods.open_ports:
                yield space.mask(Ports(protocol)), 0, everything
            sure = {port.number for port in pods.named(match.name, protocol) if port.certain}
            for number in {port.number for port in pods.named(match.name, protocol)}:
                certain = sure == {number}
                yield space.one(protocol, number), everything if certain else 0, 0 if certain else everything


def _policies(profile: Profile) -> Iterator[tuple[Policy, object]]:
    for group in (*profile.admin, profile.network, *profile.baseline):
        yield from group


def _identity(profile: Profile) -> tuple[object, ...]:
    selected = tuple((id(policy), truth) for policy, truth in _policies(profile))
    return selected, bool(profile.opaque)


def _joined(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells with the same other sides, together."""
    found: dict[tuple[int, int], int] = {}
    for cell in cells:
        key = (cell.certain, cell.possible)
        found[key] = found.get(key, 0) | cell.ports
    for (certain, possible), ports in found.items():
        yield Cell(ports, certain, possible)


@dataclass(frozen=True, slots=True)
class Arriving:
    """Who lets a class in: ports, each with the classes that do.

    Attributes:
        certain: Ports and classes that certainly let it in.
        possible: Ports and classes that may let it in.
    """

    certain: list[tuple[int, int]]
    possible: list[tuple[int, int]]


def transposed(rows: Sequence[Row], count: int) -> list[Arriving]:
    """Rows turned round: for each other side, the ports on which it is let in, and by whom.

    Certain and possible are kept apart, because what is merely possible is often the same for very many classes.

    Args:
        rows: The rows, by class.
        count: Number of other sides.
    """
    certain: dict[tuple[int, int], int] = {}
    possible: dict[tuple[int, int], int] = {}
    for number, row in enumerate(rows):
        bit = 1 << number
        for cell in row:
            for targets, others in ((certain, cell.certain), (possible, cell.possible)):
                if others:
                    key = (cell.ports, others)
                    targets[key] = targets.get(key, 0) | bit
    result = [Arriving([], []) for _each in range(count)]
    for (ports, others), classes in certain.items():
        for other in bits.members(others):
            result[other].certain.append((ports, classes))
    for (ports, others), classes in possible.items():
        for other in bits.members(others):
            result[other].possible.append((ports, classes))
    return result
