"""Peers, ports and rules in words."""

from collections.abc import Sequence

from audit.model.policies import BlockPeer, NamedPort, NodePeer, Peer, PodPeer, PortMatch, Rule

_LAST_PORT = 65535


def peer(given: Peer, namespace: str | None) -> str:
    """A peer, as in "pods with app=web in namespace shop"."""
    if isinstance(given, PodPeer):
        pods = f"pods with {given.pods}" if given.pods.requirements else "all pods"
        if given.namespaces is None:
            return f"{pods} in namespace {namespace}"
        if given.namespaces.requirements:
            return f"{pods} in namespaces with {given.namespaces}"
        return f"{pods} in all namespaces"
    if isinstance(given, BlockPeer):
        return f"addresses {given.written}"
    if isinstance(given, NodePeer):
        return f"nodes with {given.nodes}" if given.nodes.requirements else "all nodes"
    return f"domain names {', '.join(given.names)}"


def port(given: PortMatch) -> str:
    """A port of a rule, as in "TCP 80-90"."""
    if isinstance(given, NamedPort):
        return f"{given.protocol or 'any protocol'} port {given.name!r}"
    if (given.low, given.high) == (1, _LAST_PORT):
        return f"every {given.protocol} port"
    return f"{given.protocol} {given.low}" + (f"-{given.high}" if given.high != given.low else "")


def ports(given: Sequence[PortMatch] | None) -> str:
    """The ports of a rule."""
    return "every port" if given is None else ", ".join(map(port, given))


def peers(rule: Rule, namespace: str | None) -> str:
    """The peers of a rule."""
    return "everything" if rule.peers is None else "; ".join(peer(each, namespace) for each in rule.peers)
