"""Metrics: monitors that make Prometheus scrape others, and whoever can query Prometheus."""

from collections.abc import Iterator
from typing import Final

from audit.model.labels import Labels
from audit.model.objects import Object, mapping
from audit.model.truth import NO
from audit.paths.graph import Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.wiring.monitors import namespaces_of
from audit.wiring.view import View, selector_of

_SECURITY: Final = "https://prometheus-operator.dev/docs/operator/security/"
_QUERIES: Final = "https://prometheus.io/docs/operating/security/#prometheus"
_NAME: Final = "app.kubernetes.io/name"
_KINDS: Final = ("ServiceMonitor", "PodMonitor")


class MetricsPlane:
    """Monitors, and the API of Prometheus, which answers everybody who reaches it."""

    name = "metrics"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._view = View(land.inventory)
        self._monitors = land.inventory.of_kind(*_KINDS)
        self._servers = {
            Node(Kind.REACHED, node.namespace, node.name): node
            for node, workload in land.workloads.items()
            if any(_is_prometheus(each.labels) for each in workload.pods)
        }
        self._objects = land.inventory.of_kind("Prometheus")

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        return {"monitor": len(self._monitors), "Prometheus workload": len(self._servers)}

    @property
    def unknown(self) -> list[str]:
        """Without Prometheus in the input, who can query it is not known."""
        if self._servers or not self._monitors:
            return []
        return ["who can query Prometheus: the input holds none of its pods"]

    def steps(self, node: Node) -> Iterator[Step]:
        """What monitors scrape, what a query reads, and what whoever writes monitors or rules has."""
        if node.kind is Kind.MANIFESTS:
            for monitor in self._monitors:
                if monitor.namespace == node.namespace:
                    yield from self._scrapes(monitor)
        elif node.kind is Kind.REACHED and node in self._servers:
            yield from self._all("queries", "Prometheus answers queries about every namespace without asking who asks")
        elif node.kind is Kind.PODS and Node(Kind.REACHED, node.namespace, node.name) in self._servers:
            yield from self._all("queries", "its pods hold the metrics of every namespace")
        elif node.kind is Kind.RULES:
            sentence = "a rule reads the metrics of every namespace, if a Prometheus evaluates it"
            yield from self._all("writes-rules", sentence, certain=False)
        elif node.kind is Kind.MONITORS:
            yield from self._all(
                "writes-monitors", "a monitor may scrape other namespaces, if a Prometheus selects it", certain=False
            )
            for server in self._objects:
                yield from self._account(server)

    def _scrapes(self, monitor: Object) -> Iterator[Step]:
        """Namespaces besides its own in which a monitor selects something."""
        place = monitor.place.at("spec", "namespaceSelector")
        selector = selector_of(monitor.at("spec", "selector"))
        for namespace in namespaces_of(self._view, monitor):
            if namespace == monitor.namespace or selector is None:
                continue
            found = [*self._labels(monitor, namespace)]
            if any(selector.matches(each) is not NO for each in found):
                sentence = f"{monitor.reference} makes Prometheus scrape {namespace} in the name of {monitor.namespace}"
                yield Step(Node(Kind.METRICS, namespace), "monitor", sentence, lines(place), source=_SECURITY)

    def _labels(self, monitor: Object, namespace: str) -> Iterator[Labels]:
        """The labels of what a monitor may select in a namespace."""
        if monitor.kind == "PodMonitor":
            for node in self._land.pods(namespace):
                yield from (each.labels for each in self._land.workloads[node].pods)
            return
        for each in self._view.inventory.of_kind("Service"):
            if each.namespace == namespace:
                yield Labels({str(key): str(value) for key, value in mapping(each.at("metadata", "labels")).items()})

    def _all(self, rule: str, sentence: str, *, certain: bool = True) -> Iterator[Step]:
        places = {each.namespace: each.place for each in self._monitors}
        for namespace, place in places.items():
            target = Node(Kind.METRICS, namespace)
            yield Step(target, rule, sentence, lines(place), certain=certain, source=_QUERIES)

    def _account(self, server: Object) -> Iterator[Step]:
        """A monitor may name a file whose content Prometheus sends to what it scrapes: its own token."""
        if server.at("spec", "arbitraryFSAccessThroughSMs", "deny") is True:
            return
        name = str(server.at("spec", "serviceAccountName") or "default")
        sentence = f"a monitor may name a file of {server.reference} to send to its target, such as the account's token"
        place = server.place.at("spec")
        target = Node(Kind.ACCOUNT, server.namespace, name)
        yield Step(target, "sends-token", sentence, lines(place), certain=False, source=_SECURITY)


def _is_prometheus(labels: Labels) -> bool:
    return labels.known.get(_NAME, labels.known.get("app")) == "prometheus"
