"""Metrics: monitors that make Prometheus scrape others, and who can query a Prometheus or control its pods."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.engine.answer import Verdict
from audit.engine.endpoints import Endpoint, Traffic
from audit.metrics.servers import PORT, listens, pods_of
from audit.model.labels import Labels
from audit.model.objects import Object
from audit.model.truth import NO, YES
from audit.paths.graph import Kind, Node, Step, evidence_of, lines
from audit.paths.landscape import Landscape
from audit.wiring.selection import namespaces_of, object_labels, selector_of

_SECURITY: Final = "https://prometheus-operator.dev/docs/operator/security/"
_QUERIES: Final = "https://prometheus.io/docs/operating/security/#prometheus"
_NAME: Final = "app.kubernetes.io/name"
_KINDS: Final = ("ServiceMonitor", "PodMonitor")


class MetricsPlane:
    """Monitors, and the API of Prometheus, which answers every client that can connect."""

    name = "metrics"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._monitors = land.inventory.of_kind(*_KINDS)
        self._monitors_of: dict[str, list[Object]] = defaultdict(list)
        for monitor in self._monitors:
            self._monitors_of[monitor.namespace].append(monitor)
        self._scraped: dict[Node, list[Object]] = {}
        self._ends = {
            node: pods_of(server, land.inventory, land.cluster.references) if listens(server) else []
            for node, server in land.operated.items()
        }
        self._pods: dict[Node, Object | None] = dict(land.operated)
        for node, workload in land.workloads.items():
            if any(_is_prometheus(each.labels) for each in workload.pods):
                self._pods[node] = None

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        return {"monitor": len(self._monitors), "Prometheus server": len(self._pods)}

    @property
    def unknown(self) -> list[str]:
        """Without Prometheus in the input, who can query it is not known."""
        if self._pods or not self._monitors:
            return []
        return [
            "who can query Prometheus, and what it selects: the input holds none (--values reads those of its chart)"
        ]

    def steps(self, node: Node) -> Iterator[Step]:
        """What monitors scrape, what a query reads, and what writing monitors or rules gives."""
        if node.kind is Kind.MANIFESTS:
            for monitor in self._monitors_of.get(node.namespace, ()):
                yield from self._scrapes(monitor)
        elif node.kind is Kind.REACHED:
            sentence = (
                "Prometheus answers queries about every namespace that it scrapes, from every client that can connect"
            )
            yield from self._read(Node(Kind.PODS, node.namespace, node.name), sentence)
        elif node.kind in {Kind.PODS, Kind.NEW_PODS}:
            yield from self._read(node, "its pods hold the metrics of every namespace that they scrape")
            yield from self._reaches(node)
        elif node.kind is Kind.RULES:
            sentence = "a rule reads the metrics of every namespace, if a Prometheus evaluates it"
            yield from self._all("writes-rules", sentence)
        elif node.kind is Kind.MONITORS:
            yield from self._all("writes-monitors", "a monitor scrapes other namespaces, if a Prometheus selects it")
            for server in self._land.servers.all:
                yield from self._token(server)

    def _scrapes(self, monitor: Object) -> Iterator[Step]:
        """Namespaces besides its own in which a monitor selects something, if a Prometheus selects the monitor."""
        servers = self._land.servers
        selecting = servers.of(monitor)
        selector = selector_of(monitor.at("spec", "selector"))
        ignored = servers.all_have(monitor, "ignoreNamespaceSelectors")
        if selector is None or ignored or (servers.all and not selecting):
            return
        certain = not servers.all or any(truth is YES for _server, truth in selecting)
        place = monitor.place.at("spec", "namespaceSelector")
        for namespace in namespaces_of(self._land.inventory, monitor):
            if namespace == monitor.namespace:
                continue
            if any(selector.matches(each) is not NO for each in self._labels(monitor, namespace)):
                sentence = f"{monitor.reference} makes Prometheus scrape {namespace} in the name of {monitor.namespace}"
                target = Node(Kind.METRICS, namespace)
                yield Step(target, "monitor", sentence, lines(place), certain=certain, source=_SECURITY)

    def _labels(self, monitor: Object, namespace: str) -> Iterator[Labels]:
        """The labels of what a monitor may select in a namespace."""
        if monitor.kind == "PodMonitor":
            for node in self._land.pods(namespace):
                yield from (each.labels for each in self._land.workloads[node].pods)
            return
        for each in self._land.inventory.of_kind("Service"):
            if each.namespace == namespace:
                yield object_labels(each)

    def _read(self, pods: Node, sentence: str) -> Iterator[Step]:
        """The metrics that a Prometheus has: of the monitors that it selects, or of all if its object is not known."""
        if pods not in self._pods:
            return
        if pods not in self._scraped:
            server = self._pods[pods]
            self._scraped[pods] = [
                monitor
                for monitor in self._monitors
                if server is None or any(each is server for each, _truth in self._land.servers.of(monitor))
            ]
        for monitor in self._scraped[pods]:
            target = Node(Kind.METRICS, monitor.namespace)
            yield Step(target, "queries", sentence, lines(monitor.place), source=_QUERIES)

    def _reaches(self, node: Node) -> Iterator[Step]:
        """Traffic to pods that only the operator makes, and that the network plane therefore does not know."""
        references = self._land.cluster.references
        sources: list[Endpoint] = []
        if node.kind is Kind.NEW_PODS:
            sources = references.endpoints(f"{node.namespace}/*")
        elif node in self._land.workloads:
            sources = references.of_workload(self._land.workloads[node])
        for pods, ends in self._ends.items():
            for source in sources:
                for end in ends:
                    answer = self._land.cluster.judge.answer(Traffic(source, end, "TCP", PORT))
                    if answer.verdict is not Verdict.DENIED:
                        target = Node(Kind.REACHED, pods.namespace, pods.name)
                        certain = answer.verdict is Verdict.ALLOWED
                        sentence = f"policies {'' if certain else 'may '}let traffic through to TCP {PORT}"
                        yield Step(target, "network", sentence, evidence_of(answer), certain=certain, source=_QUERIES)

    def _all(self, rule: str, sentence: str) -> Iterator[Step]:
        for monitor in self._monitors:
            target = Node(Kind.METRICS, monitor.namespace)
            yield Step(target, rule, sentence, lines(monitor.place), certain=False, source=_QUERIES)

    def _token(self, server: Object) -> Iterator[Step]:
        """A monitor may name a file whose content Prometheus sends to what it scrapes: its own token."""
        if server.at("spec", "arbitraryFSAccessThroughSMs", "deny") is True:
            return
        sentence = f"a monitor may name a file of {server.reference} to send to its target, such as the account's token"
        place = server.place.at("spec")
        account = Node(Kind.ACCOUNT, server.namespace, str(server.at("spec", "serviceAccountName") or "default"))
        yield Step(account, "sends-token", sentence, lines(place), certain=False, source=_SECURITY)


def _is_prometheus(labels: Labels) -> bool:
    return labels.known.get(_NAME, labels.known.get("app")) == "prometheus"
