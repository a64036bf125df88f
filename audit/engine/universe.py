"""Classes of pods: pods that no policy can tell apart are one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.engine import bits
from audit.engine.endpoints import Endpoint, Kind
from audit.engine.label_index import LabelIndex
from audit.engine.matching import Matcher
from audit.engine.port_space import PortSpace, named
from audit.engine.references import References
from audit.model.inventory import Inventory
from audit.model.labels import NOT_KNOWN
from audit.model.pods import Namespace, Pods, Workload
from audit.model.policies import BlockPeer, Direction, NodePeer, Peer, PodPeer, Policy, Rule
from audit.model.truth import MAYBE, YES

ANYWHERE = Namespace("", NOT_KNOWN)
"""A namespace of which nothing is known."""


@dataclass(frozen=True, slots=True)
class PodClass:
    """Pods that no policy can tell apart.

    Attributes:
        endpoint: One that stands for all.
        workloads: The workloads that they belong to; empty for pods that do not exist yet and for nodes.
    """

    endpoint: Endpoint
    workloads: tuple[Workload, ...]


class Universe:
    """The classes of a cluster, the sets that peers match, and the space of ports.

    Attributes:
        classes: Pods of the input, then new pods of each namespace and of any, then a node.
        everything: The set of all classes.
        on_nodes: Classes that share a node's network: a node always reaches its own pods.
        ports: The space of ports.
    """

    def __init__(self, inventory: Inventory, matcher: Matcher, references: References) -> None:
        self._matcher = matcher
        self.policies = inventory.policies
        rules = list(_rules(inventory.policies))
        self._names = named(rules)
        self.classes = [*_classes(inventory, references, rules, self._names), *_others(inventory)]
        self.everything = (1 << len(self.classes)) - 1
        pods = [each.endpoint.pods for each in self.classes]
        self.ports = PortSpace(
            rules, ((port.protocol, port.number) for each in pods if each is not None for port in each.ports)
        )
        self._pod_labels = LabelIndex([each.labels if each else NOT_KNOWN for each in pods])
        self._namespace_labels = LabelIndex([each.namespace.labels if each else NOT_KNOWN for each in pods])
        self._pods = bits.of(number for number, each in enumerate(pods) if each is not None)
        host = bits.of(number for number, each in enumerate(pods) if each is not None and each.host_network)
        self._host = host
        self.on_nodes = host | (self.everything & ~self._pods)
        self._by_namespace: dict[str, int] = defaultdict(int)
        for number, each in enumerate(pods):
            if each is not None:
                self._by_namespace[each.namespace.name] |= 1 << number
        self._numbers = {id(one): number for number, each in enumerate(self.classes) for one in each.workloads}
        self._alike = list(self._by_addresses())
        self._peers: dict[tuple[Peer, str | None], tuple[int, int]] = {}
        self._named: dict[tuple[str, str], list[tuple[int, int, int]]] = {}

    def number(self, workload: Workload) -> int | None:
        """A class of a workload's pods."""
        return self._numbers.get(id(workload))

    def in_namespace(self, name: str) -> int:
        """The classes of a namespace."""
        return self._by_namespace.get(name, 0)

    def peer(self, peer: Peer, namespace: str | None) -> tuple[int, int]:
        """The classes that a peer certainly matches, and those that it may match."""
        own = namespace if isinstance(peer, PodPeer) and peer.namespaces is None else None
        found = self._peers.get((peer, own))
        if found is None:
            found = self._pod_peer(peer, own) if isinstance(peer, PodPeer) else self._each(peer)
            self._peers[peer, own] = found
        return found

    def named_port(self, name: str, protocol: str) -> list[tuple[int, int, int]]:
        """What a port name means: sets of ports, with the classes where it certainly, and where it may, mean them."""
        found = self._named.get((name, protocol))
        if found is None:
            found = self._named[name, protocol] = list(self._resolved(name, protocol))
        return found

    def _by_addresses(self) -> Iterator[tuple[Endpoint, int]]:
        """Classes with the same addresses, with one endpoint that stands for them."""
        found: dict[object, list[int]] = defaultdict(list)
        for number, each in enumerate(self.classes):
            pods = each.endpoint.pods
            found[(pods.host_network, pods.addresses, pods.node_addresses) if pods else None].append(number)
        for numbers in found.values():
            yield self.classes[numbers[0]].endpoint, bits.of(numbers)

    def _pod_peer(self, peer: PodPeer, namespace: str | None) -> tuple[int, int]:
        yes, maybe = self._pod_labels.match(peer.pods)
        if peer.namespaces is not None:
            space_yes, space_maybe = self._namespace_labels.match(peer.namespaces)
        else:
            space_yes, space_maybe = self._by_namespace.get(namespace or "", 0), self._by_namespace.get("", 0)
        possible = (yes | maybe) & (space_yes | space_maybe) & self._pods
        certain = yes & space_yes & self._pods & ~self._host
        if not peer.with_host_network:
            possible &= ~self._host
        return certain, possible & ~certain

    def _each(self, peer: Peer) -> tuple[int, int]:
        """A peer that does not go by pods' labels, asked once for all classes with the same addresses."""
        yes = maybe = 0
        for endpoint, classes in self._alike:
            truth = self._matcher.peer(peer, None, endpoint)
            if truth is YES:
                yes |= classes
            elif truth is MAYBE:
                maybe |= classes
        return yes, maybe

    def _resolved(self, name: str, protocol: str) -> Iterator[tuple[int, int, int]]:
        certain: dict[int, int] = defaultdict(int)
        possible: dict[int, int] = defaultdict(int)
        for number, each in enumerate(self.classes):
            pods = each.endpoint.pods
            if pods is None:
                continue
            if pods.open_ports:
                possible[0] |= 1 << number
            sure = {port.number for port in pods.named(name, protocol) if port.certain}
            for port in {port.number for port in pods.named(name, protocol)}:
                (certain if sure == {port} else possible)[port] |= 1 << number
        for port in sorted(certain.keys() | possible.keys()):
            yield port, certain.get(port, 0), possible.get(port, 0)


def _rules(policies: Iterable[Policy]) -> Iterator[Rule]:
    for policy in policies:
        for direction in Direction:
            yield from policy.rules(direction) or ()


def _classes(inventory: Inventory, references: References, rules: list[Rule], names: set[str]) -> Iterator[PodClass]:
    """Pods of the input that policies see alike; a single pod stays by itself, for it reaches itself."""
    keys = _label_keys(inventory.policies, rules)
    by_address = any(isinstance(peer, BlockPeer | NodePeer) for rule in rules for peer in rule.peers or ())
    groups: dict[tuple[object, ...], list[tuple[Workload, Endpoint]]] = defaultdict(list)
    for workload in inventory.workloads:
        for endpoint in references.of_workload(workload):
            pods = endpoint.pods
            if pods is None:
                continue
            ports = frozenset(port for port in pods.ports if port.name in names)
            addresses = (pods.addresses, pods.node_addresses) if by_address else ()
            alone = workload.reference if workload.single else ""
            labels = pods.labels.restricted_to(keys)
            key = (pods.namespace.name, labels, ports, pods.open_ports, pods.host_network, addresses, alone)
            groups[key].append((workload, endpoint))
    for group in groups.values():
        workloads = {id(workload): workload for workload, _endpoint in group}
        yield PodClass(group[0][1], tuple(workloads.values()))


def _label_keys(policies: Iterable[Policy], rules: list[Rule]) -> frozenset[str]:
    selectors = [policy.subject.pods for policy in policies]
    selectors += [peer.pods for rule in rules for peer in rule.peers or () if isinstance(peer, PodPeer)]
    return frozenset(key for selector in set(selectors) for key in selector.keys)


def _others(inventory: Inventory) -> Iterator[PodClass]:
    """Pods that do not exist yet, and a node."""
    for namespace in inventory.namespaces.values():
        pods = Pods(namespace, NOT_KNOWN, open_ports=True)
        yield PodClass(Endpoint(Kind.PODS, f"{namespace.name}/*", pods), ())
    yield PodClass(Endpoint(Kind.PODS, "*/*", Pods(ANYWHERE, NOT_KNOWN, open_ports=True)), ())
    yield PodClass(Endpoint(Kind.NODE, "node"), ())
