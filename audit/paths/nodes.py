"""Nodes: control of a node includes every pod on it, and a pod on the node's network reaches them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from audit.model.objects import Object, listed, mapping, mappings
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.pods.template import Template

_HOST_NAME: Final = "kubernetes.io/hostname"
_KEEPS_OUT: Final = {"NoSchedule", "NoExecute"}
_ISOLATION: Final = "https://kubernetes.io/docs/concepts/security/multi-tenancy/#node-isolation"
_HOST_IPC: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"
_HOST_NETWORK: Final = (
    "https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods"
)


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where pods may run.

    Attributes:
        name: The one node, or empty.
        labels: Labels that their node must have, each with the values that it may have.
        tolerations: What they tolerate.
    """

    name: str
    labels: Mapping[str, frozenset[str]]
    tolerations: tuple[Mapping[str, Any], ...]


class NodesPlane:
    """Pods that may run on the same node."""

    name = "nodes"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._nodes = land.inventory.of_kind("Node")
        self._placements = {node: _placement(template) for node, template in land.templates.items()}

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        return {"node": len(self._nodes)}

    @property
    def unknown(self) -> list[str]:
        """Without nodes in the input, only templates exclude that two pods share a node."""
        return [] if self._nodes else ["the nodes: any two pods whose templates do not exclude it may share one"]

    def steps(self, node: Node) -> Iterator[Step]:
        """The pods of a node, and what pods in its network reach."""
        if node.kind is Kind.NODE:
            for target in self._on(node):
                sentence = (
                    "its pods may run on the node, and control of the node includes them, their tokens and Secrets"
                )
                yield Step(target, "shares-node", sentence, lines(self._land.place(target)), source=_ISOLATION)
        elif node.kind is Kind.PODS and node in self._land.templates:
            yield from self._host_network(node, self._land.templates[node])
            yield from self._host_ipc(node, self._land.templates[node])

    def _host_network(self, node: Node, template: Template) -> Iterator[Step]:
        refuses = self._land.refuses_baseline(node.namespace)
        if not template.spec.get("hostNetwork") or refuses:
            return
        place = template.owner.place.at(*template.path, "spec", "hostNetwork")
        sentence = (
            "its pods use their node's network, and a node reaches the pods that run on it, whatever policies say"
        )
        for each in self._on(Node(Kind.NODE, node.namespace, node.name)):
            if each != node:
                target = Node(Kind.REACHED, each.namespace, each.name)
                found = lines(place, self._land.place(each))
                yield Step(target, "host-network", sentence, found, certain=refuses is False, source=_HOST_NETWORK)

    def _host_ipc(self, node: Node, template: Template) -> Iterator[Step]:
        """Pods that have the shared memory of their node, too."""
        if not template.spec.get("hostIPC"):
            return
        place = template.owner.place.at(*template.path, "spec", "hostIPC")
        sentence = "both use the shared memory of their node, if their pods run on the same one"
        for each in self._on(Node(Kind.NODE, node.namespace, node.name)):
            refuse = [self._land.refuses_baseline(space) for space in (node.namespace, each.namespace)]
            if each != node and self._land.templates[each].spec.get("hostIPC") and True not in refuse:
                target, found = Node(Kind.REACHED, each.namespace, each.name), lines(place, self._land.place(each))
                yield Step(target, "host-ipc", sentence, found, certain=None not in refuse, source=_HOST_IPC)

    def _on(self, node: Node) -> Iterator[Node]:
        """The workloads whose pods may run on a node: of that name, of a workload's pods, or any."""
        if node.namespace:
            mine = self._placements[Node(Kind.PODS, node.namespace, node.name)]
        else:
            mine = _Placement("" if node.name == ANY else node.name, {}, ({"operator": "Exists"},))
        for target, other in self._placements.items():
            if self._together(mine, other):
                yield target

    def _together(self, one: _Placement, other: _Placement) -> bool:
        if self._nodes:
            return any(_fits(one, node) and _fits(other, node) for node in self._nodes)
        if one.name and other.name and one.name != other.name:
            return False
        return all(values & other.labels.get(key, values) for key, values in one.labels.items())


def _placement(template: Template) -> _Placement:
    spec = template.spec
    labels = {str(key): frozenset({str(value)}) for key, value in mapping(spec.get("nodeSelector")).items()}
    affinity = mapping(mapping(spec.get("affinity")).get("nodeAffinity"))
    required = mapping(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    terms = mappings(required.get("nodeSelectorTerms"))
    # Terms are alternatives, so several of them exclude nothing for certain.
    for each in mappings(terms[0].get("matchExpressions")) if len(terms) == 1 else ():
        if each.get("operator") == "In":
            key, values = str(each.get("key")), frozenset(map(str, listed(each.get("values"))))
            labels[key] = labels.get(key, values) & values
    tolerations = tuple(mappings(spec.get("tolerations")))
    return _Placement(str(spec.get("nodeName") or ""), labels, tolerations)


def _fits(placement: _Placement, node: Object) -> bool:
    """Whether pods may run on a node of the input."""
    if placement.name:
        return placement.name == node.name  # such a pod is not scheduled, so labels and taints do not count
    labels = {_HOST_NAME: node.name, **mapping(node.at("metadata", "labels"))}
    if not all(str(labels.get(key)) in values for key, values in placement.labels.items()):
        return False
    taints = [each for each in mappings(node.at("spec", "taints")) if each.get("effect") in _KEEPS_OUT]
    return all(any(_tolerates(each, taint) for each in placement.tolerations) for taint in taints)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in {None, "", taint.get("effect")}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint.get("key")}
    return (toleration.get("key"), toleration.get("value") or "") == (taint.get("key"), taint.get("value") or "")
