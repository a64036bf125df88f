"""The network: which pods reach which, by policies, by their node's network, and by policies that can be changed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from audit.engine import bits
from audit.engine.endpoints import Endpoint, Traffic
from audit.model.labels import NAMESPACE_NAME
from audit.model.policies import Direction, PodPeer, Ports
from audit.model.truth import NO
from audit.paths.graph import Evidence, Kind, Node, Step, evidence_of, lines
from audit.paths.landscape import Landscape

_POLICIES: Final = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"


class NetworkPlane:
    """Traffic between pods. Traffic is not control: a path continues from a pod that it reaches only at a known API."""

    name = "network"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._reach = land.cluster.reach()
        self._classes: dict[Node, list[int]] = defaultdict(list)
        self._new: dict[str, int] = {}
        for number, each in enumerate(self._reach.classes):
            for workload in each.workloads:
                self._classes[land.node(workload)].append(number)
            pods = each.endpoint.pods
            if pods is not None and not each.workloads:
                self._new[pods.namespace.name] = number
        self._empty = {number: name for name, number in self._new.items() if name and not land.pods(name)}
        self._empty_classes = bits.of(self._empty)

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        inventory = self._land.inventory
        return {"workload": len(inventory.workloads), "policy": len(inventory.policies)}

    @property
    def unknown(self) -> list[str]:
        """Policies that are not evaluated, and networks to which none applies."""
        return [
            *(f"what {each} lets through: {each.reason}" for each in self._land.inventory.opaque),
            *(
                f"what pods of {template.owner.reference} reach in the network {name}, to which policies do not apply"
                for template in self._land.templates.values()
                for name, _place in template.networks
            ),
        ]

    def steps(self, node: Node) -> Iterator[Step]:
        """What pods reach, and what changing policies or labels lets them reach."""
        if node.kind is Kind.PODS and not self._land.refused(node):
            for number in self._classes[node]:
                yield from self._flows(number)
        elif node.kind is Kind.NEW_PODS and node.namespace in self._new:
            yield from self._flows(self._new[node.namespace])
        elif node.kind is Kind.POLICIES:
            yield from self._without_egress(node.namespace)
        elif node.kind is Kind.LABELS:
            yield from self._by_labels(node.namespace)

    def _flows(self, source: int) -> Iterator[Step]:
        for flow in self._reach.flows(source):
            certain = flow.allowed != 0
            destinations = flow.destinations if certain else flow.destinations & ~self._empty_classes
            ports = self._reach.ports.ranges(flow.allowed or flow.unknown)
            for target, number in self._targets(destinations):
                port = _port(ports, self._reach.classes[number].endpoint)
                sentence = (
                    f"policies {'' if certain else 'may '}let traffic through, such as {port.protocol} {port.low}"
                )
                evidence = self._evidence(source, number, port)
                yield Step(target, "network", sentence, evidence, certain=certain, source=_POLICIES)

    def _targets(self, classes: int) -> Iterator[tuple[Node, int]]:
        """Classes as nodes; pods that do not exist yet stand for a namespace without workloads.

        Traffic to these that depends on labels, which nobody has chosen yet, does not count.
        """
        for number in bits.members(classes):
            for workload in self._reach.classes[number].workloads:
                node = self._land.node(workload)
                if not self._land.refused(node):
                    yield Node(Kind.REACHED, node.namespace, node.name), number
            if number in self._empty:
                yield Node(Kind.REACHED, self._empty[number]), number

    def _evidence(self, source: int, target: int, port: Ports) -> Callable[[], Sequence[Evidence]]:
        ends = (self._reach.classes[source].endpoint, self._reach.classes[target].endpoint)

        def found() -> Sequence[Evidence]:
            return evidence_of(self._land.cluster.judge.answer(Traffic(*ends, port.protocol, port.low)))()

        return found

    def _without_egress(self, namespace: str) -> Iterator[Step]:
        """What lets pods of a namespace in, whatever their own policies say."""
        numbers = [number for node in self._land.pods(namespace) for number in self._classes[node]]
        numbers += [self._new[namespace]] if namespace in self._new else []
        sentence = (
            "changing the policies of the namespace can let its pods out, and the policies of these pods let them in"
        )
        for number in numbers:
            arriving = self._reach.let_in(number)
            for certain, found in ((True, arriving.certain), (False, arriving.possible)):
                for ports, classes in found:
                    for target, other in self._targets(classes):
                        port = _port(self._reach.ports.ranges(ports), self._reach.classes[other].endpoint)
                        evidence = self._evidence(number, other, port)
                        yield Step(target, "opens-egress", sentence, evidence, certain=certain, source=_POLICIES)

    def _by_labels(self, namespace: str) -> Iterator[Step]:
        """What lets in namespaces by labels that can be given to one."""
        sentence = f"the policy lets in namespaces by labels, which can be given to {namespace}"
        for policy in self._land.inventory.policies:
            for rule in policy.rules(Direction.INGRESS) or ():
                for index, peer in enumerate(rule.peers or ()):
                    if not isinstance(peer, PodPeer) or peer.namespaces is None or policy.namespace is None:
                        continue
                    if NAMESPACE_NAME in peer.namespaces.keys:
                        continue
                    place = rule.place.at(rule.peer_field, index, "namespaceSelector")
                    for node in self._land.pods(policy.namespace):
                        pods = self._land.workloads[node].pods
                        if any(policy.subject.pods.matches(each.labels) is not NO for each in pods):
                            target = Node(Kind.REACHED, node.namespace, node.name)
                            yield Step(target, "labels-let-in", sentence, lines(place), certain=False, source=_POLICIES)


def _port(ranges: Sequence[Ports], destination: Endpoint) -> Ports:
    """One port of some: one that the destination declares, if there is one."""
    declared = destination.pods.ports if destination.pods else ()
    for port in declared:
        if any(each.protocol == port.protocol and each.low <= port.number <= each.high for each in ranges):
            return Ports(port.protocol, port.number, port.number)
    return ranges[0]
