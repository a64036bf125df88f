"""Why a match cannot be decided from the input, and what would decide it."""

from collections.abc import Iterator

from audit.engine.endpoints import Endpoint, Kind
from audit.engine.matching import Matcher, named_port, namespace_matches, port, selects
from audit.model.labels import Labels, Selector
from audit.model.pods import Pods
from audit.model.policies import BlockPeer, NamedPort, NodePeer, Peer, PodPeer, PortMatch, Rule
from audit.model.truth import MAYBE


def selection(peer: PodPeer, namespace: str | None, pods: Pods, name: str) -> Iterator[str]:
    """Why selectors may match pods."""
    if namespace_matches(peer, namespace, pods.namespace) is MAYBE:
        yield from _namespace(peer, pods, name)
    if peer.pods.matches(pods.labels) is MAYBE:
        yield from _labels(peer.pods, pods.labels, name)
    if pods.host_network:
        yield f"{name} uses the host network: implementations differ in whether NetworkPolicies see such pods"


def rule(
    given: Rule, namespace: str | None, other: Endpoint, traffic: tuple[str, int, Endpoint], matcher: Matcher
) -> Iterator[str]:
    """Why a rule may match.

    Args:
        given: The rule.
        namespace: The policy's namespace.
        other: The other side.
        traffic: Protocol, port number and destination.
        matcher: Matches peers.
    """
    for peer in given.peers or ():
        if matcher.peer(peer, namespace, other) is MAYBE:
            yield from _peer(peer, namespace, other, matcher)
    for match in given.ports or ():
        if port(match, *traffic) is MAYBE:
            yield from _port(match, *traffic)


def _peer(peer: Peer, namespace: str | None, other: Endpoint, matcher: Matcher) -> Iterator[str]:
    if isinstance(peer, PodPeer) and other.pods is not None and selects(peer, namespace, other.pods) is MAYBE:
        yield from selection(peer, namespace, other.pods, other.name)
    elif isinstance(peer, BlockPeer):
        yield _block(peer, other, matcher)
    elif isinstance(peer, NodePeer):
        yield f"the labels of {other.name}'s node are not in the input; add the Node objects"
    else:
        yield f"whether a domain name of the rule resolves to {other.name} is not in the input"


def _block(peer: BlockPeer, other: Endpoint, matcher: Matcher) -> str:
    on_node = other.kind is Kind.NODE or (other.pods is not None and other.pods.host_network)
    option = "--node-cidr" if on_node else "--pod-cidr"
    addresses = matcher.addresses(other)
    if not addresses:
        return f"the address of {other.name} is not known, so an address block may cover it; give {option}"
    if peer.covers_pods is None:
        what = "nodes" if on_node else "pods"
        return f"implementations differ in whether an ipBlock covers {what} ({other.name}); give --ip-blocks-cover-pods"
    return f"the block covers a part of the addresses that {other.name} may have; give a narrower {option}"


def _port(match: PortMatch, protocol: str, number: int, destination: Endpoint) -> Iterator[str]:
    pods = destination.pods
    if isinstance(match, NamedPort) and pods is not None and named_port(match, protocol, number, pods) is MAYBE:
        if pods.open_ports:
            yield f"which ports {destination.name} will declare is not known (the rule names port {match.name!r})"
        elif any(each.certain and each.number == number for each in pods.named(match.name, protocol)):
            yield f"several containers of {destination.name} name a port {match.name!r}: implementations differ"
        else:
            yield f"only an init container of {destination.name} names the port {match.name!r}: implementations differ"


def _namespace(peer: PodPeer, pods: Pods, name: str) -> Iterator[str]:
    if not pods.namespace.name or peer.namespaces is None:
        yield f"the namespace of {name} is not known"
        return
    keys = _undecided(peer.namespaces, pods.namespace.labels)
    yield f"namespace {pods.namespace.name} is not declared in the input, so its labels ({keys}) are not known"


def _labels(selector: Selector, labels: Labels, name: str) -> Iterator[str]:
    set_by_controller = sorted(selector.keys & labels.present)
    if set_by_controller:
        yield f"a controller sets the value of {', '.join(set_by_controller)} on {name}"
    if labels.open:
        yield f"it depends on labels of {name} that are not known: {_undecided(selector, labels)}"


def _undecided(selector: Selector, labels: Labels) -> str:
    keys = {each.key for each in selector.requirements if each.matches(labels) is MAYBE}
    return ", ".join(sorted(keys))
