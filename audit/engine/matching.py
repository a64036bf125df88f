"""Whether a policy selects pods, and whether a rule matches the other side and the port."""

from collections.abc import Iterable

from audit.assumptions import Assumptions
from audit.engine.endpoints import Endpoint, Kind
from audit.model.addresses import Address, Addresses, single
from audit.model.pods import Namespace, Pods
from audit.model.policies import BlockPeer, NamedPort, NodePeer, Peer, PodPeer, PortMatch
from audit.model.truth import MAYBE, NO, YES, Truth


def selects(peer: PodPeer, namespace: str | None, pods: Pods) -> Truth:
    """Whether selectors match pods.

    Args:
        peer: The selectors.
        namespace: The policy's namespace, for selectors that say nothing of namespaces.
        pods: The pods.
    """
    inside = namespace_matches(peer, namespace, pods.namespace)
    match = min(inside, peer.pods.matches(pods.labels)) if inside else NO
    if not pods.host_network:
        return match
    # Implementations differ in whether they see such pods or only their node.
    return min(match, MAYBE) if peer.with_host_network else NO


def namespace_matches(peer: PodPeer, namespace: str | None, of_pods: Namespace) -> Truth:
    """Whether selectors match pods' namespace; one without a name may be any."""
    if peer.namespaces is not None:
        return peer.namespaces.matches(of_pods.labels)
    if not of_pods.name:
        return MAYBE
    return YES if of_pods.name == namespace else NO


class Matcher:
    """Matches peers and ports under assumptions."""

    def __init__(self, assumptions: Assumptions) -> None:
        self._assumptions = assumptions

    def peer(self, peer: Peer, namespace: str | None, other: Endpoint) -> Truth:
        """Whether a peer of a rule matches the other side.

        Args:
            peer: The peer.
            namespace: The policy's namespace, or None.
            other: The other side.
        """
        if isinstance(peer, PodPeer):
            return selects(peer, namespace, other.pods) if other.pods is not None else NO
        if isinstance(peer, BlockPeer):
            return self.block(peer, other)
        if isinstance(peer, NodePeer):
            return _node(peer, other)
        return MAYBE  # a domain name may resolve to anything

    def block(self, peer: BlockPeer, other: Endpoint) -> Truth:
        """Whether addresses cover the other side."""
        if other.kind is Kind.ADDRESS:
            return _covers(peer.block, other.addresses)
        covered = _covers(peer.block, self.addresses(other))
        decided = peer.covers_pods if peer.covers_pods is not None else self._assumptions.ip_blocks_cover_pods
        if decided is None:
            return min(covered, MAYBE)
        return covered if decided else NO

    def addresses(self, endpoint: Endpoint) -> Addresses:
        """The addresses that an endpoint may have; empty where nothing is known."""
        pods = endpoint.pods
        if pods is None:
            return endpoint.addresses or self._assumptions.node_cidrs
        if pods.host_network:
            return _union(pods.node_addresses or pods.addresses) or self._assumptions.node_cidrs
        return _union(pods.addresses) or self._assumptions.pod_cidrs


def port(match: PortMatch, protocol: str, number: int, destination: Endpoint) -> Truth:
    """Whether a port of a rule matches the destination's port."""
    if not isinstance(match, NamedPort):
        return YES if match.protocol == protocol and match.low <= number <= match.high else NO
    if match.protocol not in {None, protocol} or destination.pods is None:
        return NO
    return named_port(match, protocol, number, destination.pods)


def named_port(match: NamedPort, protocol: str, number: int, pods: Pods) -> Truth:
    """Whether a name means a number on pods. Several containers may share a name: then implementations differ."""
    found = pods.named(match.name, protocol)
    certain = {each.number for each in found if each.certain}
    if number in certain:
        return YES if len(certain) == 1 else MAYBE
    return MAYBE if pods.open_ports or any(each.number == number for each in found) else NO


def _node(peer: NodePeer, other: Endpoint) -> Truth:
    if other.kind is Kind.NODE:
        return peer.nodes.matches(other.labels)
    if other.pods is not None and other.pods.host_network:
        return MAYBE if peer.nodes.requirements else YES
    return NO


def _covers(block: Addresses, addresses: Addresses) -> Truth:
    """Whether a block contains all, some or none of the addresses; some also where they are not known."""
    if not addresses:
        return MAYBE
    if not block & addresses:
        return NO
    return MAYBE if addresses & ~block else YES


def _union(addresses: Iterable[Address]) -> Addresses:
    result = Addresses()
    for address in addresses:
        result |= single(address)
    return result
