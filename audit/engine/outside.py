"""Which addresses outside the cluster pods may reach, and may be reached from."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.assumptions import Assumptions
from audit.engine import bits
from audit.engine.endpoints import Endpoint
from audit.engine.evaluation import Profile, Selected, evaluate
from audit.engine.judge import Judge
from audit.engine.port_space import PortSpace
from audit.model.addresses import NOWHERE, Addresses
from audit.model.pods import PROTOCOLS, Pods
from audit.model.policies import BlockPeer, Direction, NamedPort, NamePeer, Policy, Ports, Rule


@dataclass(frozen=True, slots=True)
class AddressCell:
    """Ports for which the same addresses are let through.

    Attributes:
        ports: The ports, as a set of a port space.
        certain: Addresses that are certainly allowed.
        possible: Addresses that may be allowed.
    """

    ports: int
    certain: Addresses
    possible: Addresses


_Ports = tuple[int, int]
"""Ports that a rule certainly, and may, name."""


class Outside:
    """Evaluates policies over all addresses; policies with the same content share the answer."""

    def __init__(self, ports: PortSpace, judge: Judge, assumptions: Assumptions) -> None:
        self._ports = ports
        self._judge = judge
        self._everything = ~(assumptions.pod_cidrs | assumptions.service_cidrs | assumptions.node_cidrs)
        self._answers: dict[object, tuple[AddressCell, ...]] = {}
        self._peers: dict[int, tuple[Addresses, Addresses]] = {}

    @property
    def everything(self) -> Addresses:
        """All addresses that are not known to be inside the cluster."""
        return self._everything

    def cells(self, endpoint: Endpoint, direction: Direction) -> tuple[AddressCell, ...]:
        """What pods may reach outside, or be reached from."""
        pods = endpoint.pods
        if pods is None:
            return (AddressCell(self._ports.everything, self._everything, self._everything),)
        profile = self._judge.profile(pods, direction)
        ports = {
            id(rule): self._rule_ports(rule, direction, pods)
            for policy, _truth in _selected(profile)
            for rule in policy.rules(direction) or ()
        }
        key = (direction, bool(profile.opaque), tuple(self._content(profile, direction, ports)))
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = tuple(self._evaluated(profile, direction, ports))
        return answer

    def _evaluated(self, profile: Profile, direction: Direction, ports: dict[int, _Ports]) -> Iterator[AddressCell]:
        cells = [self._ports.everything]
        for mask in {mask for each in ports.values() for mask in each if mask}:
            cells = bits.refined(cells, mask)
        found: dict[tuple[Addresses, Addresses], int] = {}
        for cell in cells:

            def match(policy: Policy, rule: Rule, cell: int = cell) -> tuple[Addresses, Addresses]:
                del policy
                certain, possible = ports[id(rule)]
                yes, maybe = self._addresses(rule)
                if certain & cell:
                    return yes, maybe
                return (NOWHERE, yes | maybe) if possible & cell else (NOWHERE, NOWHERE)

            outcome = evaluate(profile, direction, match, everything=self._everything, nothing=NOWHERE)
            allowed = self._everything & ~(outcome.deny | outcome.deny_by_admin)
            key = (allowed, outcome.allow)
            found[key] = found.get(key, 0) | cell
        for (allowed, possible), mask in found.items():
            if possible:
                yield AddressCell(mask, allowed, possible)

    def _content(
        self, profile: Profile, direction: Direction, ports: dict[int, _Ports]
    ) -> Iterator[tuple[object, ...]]:
        """What decides about addresses: equal for policies that differ only in their pods."""
        for policy, truth in _selected(profile):
            rules = tuple((rule.action, ports[id(rule)], _blocks(rule)) for rule in policy.rules(direction) or ())
            yield policy.tier, policy.priority, truth, rules

    def _addresses(self, rule: Rule) -> tuple[Addresses, Addresses]:
        """The addresses that a rule's peers certainly, and may, match."""
        if rule.peers is None:
            return self._everything, NOWHERE
        found = self._peers.get(id(rule))
        if found is None:
            yes = NOWHERE
            for peer in rule.peers:
                if isinstance(peer, BlockPeer):
                    yes |= peer.block
            named = any(isinstance(peer, NamePeer) for peer in rule.peers)
            yes &= self._everything
            found = self._peers[id(rule)] = (yes, self._everything & ~yes if named else NOWHERE)
        return found

    def _rule_ports(self, rule: Rule, direction: Direction, pods: Pods) -> _Ports:
        if rule.ports is None:
            return self._ports.everything, 0
        certain = possible = 0
        for match in rule.ports:
            if isinstance(match, Ports):
                certain |= self._ports.mask(match)
            elif direction is Direction.INGRESS:
                sure, maybe = self._named(match, pods)
                certain |= sure
                possible |= maybe
        return certain, possible & ~certain

    def _named(self, match: NamedPort, pods: Pods) -> _Ports:
        """The pods' own ports with a name; addresses outside have none."""
        certain = possible = 0
        for protocol in PROTOCOLS if match.protocol is None else (match.protocol,):
            numbers = {port.number for port in pods.named(match.name, protocol)}
            sure = {port.number for port in pods.named(match.name, protocol) if port.certain}
            for number in numbers:
                mask = self._ports.one(protocol, number)
                certain, possible = (certain | mask, possible) if sure == {number} else (certain, possible | mask)
            if pods.open_ports:
                possible |= self._ports.mask(Ports(protocol))
        return certain, possible


def _selected(profile: Profile) -> Iterator[Selected]:
    for group in (*profile.admin, profile.network, *profile.baseline):
        yield from group


def _blocks(rule: Rule) -> tuple[object, ...] | None:
    if rule.peers is None:
        return None
    return tuple(
        peer.written if isinstance(peer, BlockPeer) else True
        for peer in rule.peers
        if isinstance(peer, BlockPeer | NamePeer)
    )
