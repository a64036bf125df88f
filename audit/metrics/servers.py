"""Prometheus objects: which pods the operator makes for one, and which settings protect the labels of its series."""

from typing import Final

from audit.engine.endpoints import Endpoint, Kind
from audit.engine.references import References
from audit.model.inventory import Inventory
from audit.model.labels import Labels
from audit.model.objects import Object, mapping, mappings
from audit.model.pods import ContainerPort, Namespace, Pods
from audit.model.truth import NO, Truth
from audit.wiring.selection import SELECTED_BY_PROMETHEUS, takes

PORT: Final = 9090
"""The port of the API, which the operator sets."""
_NAME_LABEL: Final = "operator.prometheus.io/name"
_BY_CONTROLLERS: Final = frozenset(
    {
        "app.kubernetes.io/version",
        "apps.kubernetes.io/pod-index",
        "controller-revision-hash",
        "operator.prometheus.io/shard",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""Labels whose values the operator and the StatefulSet choose."""


def pods_of(server: Object, inventory: Inventory, references: References) -> list[Endpoint]:
    """The pods of a Prometheus: those of the input, as in a dump, or else those that the operator would make."""
    there = [
        end
        for each in inventory.workloads
        if each.namespace == server.namespace
        for end in references.of_workload(each)
        if end.pods is not None and end.pods.labels.known.get(_NAME_LABEL) == server.name
    ]
    if there:
        return there
    given = mapping(server.at("spec", "podMetadata", "labels"))
    labels = {str(key): str(value) for key, value in given.items()}
    labels |= {
        "app.kubernetes.io/name": "prometheus",
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "app.kubernetes.io/instance": server.name,
        "prometheus": server.name,
        _NAME_LABEL: server.name,
    }
    namespace = inventory.namespaces.get(server.namespace) or Namespace.mentioned(server.namespace)
    port = ContainerPort(PORT, name=str(server.at("spec", "portName") or "web"))
    pods = Pods(
        namespace,
        Labels(labels, present=_BY_CONTROLLERS),
        ports=(port,),
        host_network=server.at("spec", "hostNetwork") is True,
    )
    return [Endpoint(Kind.PODS, f"the pods of {server.reference}", pods)]


def listens(server: Object) -> bool:
    """Whether other pods can connect to the API at all."""
    return server.at("spec", "listenLocal") is not True


class Servers:
    """The Prometheus objects of an input.

    Attributes:
        all: The objects.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.all = inventory.of_kind("Prometheus")

    def of(self, given: Object) -> list[tuple[Object, Truth]]:
        """Which ones select a monitor or a rule, or may select it."""
        if given.kind not in SELECTED_BY_PROMETHEUS:
            return []
        every = ((each, takes(self._inventory, each, given)) for each in self.all)
        return [(each, truth) for each, truth in every if truth is not NO]

    def concern(self, given: Object) -> bool:
        """Whether a monitor outside the namespace of a Prometheus is selected, or the input has no Prometheus."""
        own = any(each.namespace == given.namespace for each in self.all)
        return not own and (not self.all or bool(self.of(given)))

    def all_have(self, given: Object, *path: str) -> bool:
        """Whether every Prometheus that selects an object has a setting; not known without a Prometheus."""
        selecting = self.of(given)
        return bool(selecting) and all(each.at("spec", *path) is True for each, _truth in selecting)

    def enforce(self, given: Object, label: str) -> bool:
        """Whether every Prometheus that selects an object sets a label of its series to its namespace."""
        selecting = self.of(given)
        return bool(selecting) and all(_enforces(each, given, label) for each, _truth in selecting)


def _enforces(server: Object, given: Object, label: str) -> bool:
    if server.at("spec", "enforcedNamespaceLabel") != label:
        return False
    resource = f"{given.kind.lower()}s"
    return not any(
        each.get("namespace") == given.namespace
        and each.get("resource") == resource
        and (each.get("name") or given.name) == given.name
        for each in mappings(server.at("spec", "excludedFromEnforcement"))
    )
