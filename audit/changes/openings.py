"""What the rules of network policies let through, one peer at a time, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.model.inventory import Inventory
from audit.model.labels import EVERYTHING, NAMESPACE_NAME, Selector
from audit.model.place import Place
from audit.model.policies import (
    Action,
    BlockPeer,
    Direction,
    NamedPort,
    NodePeer,
    Peer,
    PodPeer,
    Policy,
    PortMatch,
    Rule,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What one rule lets through from or to one peer.

    Attributes:
        policy: The policy.
        direction: Ingress or egress of the pods that the policy selects.
        peer: The other side; None for everything.
        ports: The ports; None for all.
        place: The peer's place, or the rule's where it names no peer.
    """

    policy: Policy
    direction: Direction
    peer: Peer | None
    ports: tuple[PortMatch, ...] | None
    place: Place


def openings(inventory: Inventory) -> Iterator[Opening]:
    """What every rule of every policy lets through."""
    for policy in inventory.policies:
        for direction in Direction:
            for rule in policy.rules(direction) or ():
                if rule.action is Action.ALLOW:
                    yield from _of_rule(policy, direction, rule)


def _of_rule(policy: Policy, direction: Direction, rule: Rule) -> Iterator[Opening]:
    if rule.peers is None:
        yield Opening(policy, direction, None, rule.ports, rule.place)
    for index, peer in enumerate(rule.peers or ()):
        place = rule.place.at(rule.peer_field, index)
        if isinstance(peer, PodPeer):
            # Its namespace decides most; where that is not written, this is the line of the peer.
            place = place.at("namespaceSelector", "matchLabels", NAMESPACE_NAME)
        yield Opening(policy, direction, peer, rule.ports, place)


def subject(policy: Policy) -> str:
    """The pods that a policy selects, in words."""
    return pods(policy.subject, policy.namespace)


def peer_text(peer: Peer | None, namespace: str | None) -> str:
    """The other side of a rule, in words."""
    if peer is None:
        return "every pod, node and address"
    if isinstance(peer, PodPeer):
        return pods(peer, namespace)
    if isinstance(peer, BlockPeer):
        return f"addresses {peer.written}"
    if isinstance(peer, NodePeer):
        return "all nodes" if peer.nodes == EVERYTHING else f"nodes with {peer.nodes}"
    return f"names {', '.join(peer.names)}"


def pods(peer: PodPeer, namespace: str | None) -> str:
    """Pods that selectors mean, in words."""
    which = "all pods" if peer.pods == EVERYTHING else f"pods with {peer.pods}"
    if peer.namespaces is None:
        return f"{which} of namespace {namespace}"
    if peer.namespaces == EVERYTHING:
        return f"{which} of every namespace"
    name = named(peer.namespaces)
    return f"{which} of namespace {name}" if name else f"{which} of namespaces with {peer.namespaces}"


def named(selector: Selector) -> str | None:
    """The one namespace that a selector means by its name, or None."""
    for each in selector.requirements:
        if each.key == NAMESPACE_NAME and each.operator == "In" and len(each.values) == 1:
            return next(iter(each.values)) if len(selector.requirements) == 1 else None
    return None


def ports_text(ports: tuple[PortMatch, ...] | None) -> str:
    """Ports in words."""
    if ports is None:
        return "all ports"
    return ", ".join(sorted(_port(each) for each in ports))


def _port(port: PortMatch) -> str:
    if isinstance(port, NamedPort):
        return f"{port.protocol} {port.name}" if port.protocol else port.name
    if (port.low, port.high) == (1, 65535):
        return f"{port.protocol} all ports"
    return f"{port.protocol} {port.low}" + (f"-{port.high}" if port.high != port.low else "")
