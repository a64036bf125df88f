"""Whether policies let a Prometheus scrape what the monitors that it selects name."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.cluster import Cluster
from audit.engine.answer import Answer, Verdict
from audit.engine.endpoints import Endpoint, Traffic
from audit.engine.through_services import Target, targets
from audit.errors import EndpointError
from audit.metrics.monitors import ENDPOINTS
from audit.metrics.rules import found
from audit.metrics.servers import Servers, pods_of
from audit.model.finding import Finding, State
from audit.model.inventory import Inventory
from audit.model.labels import Selector
from audit.model.objects import Object, mappings
from audit.model.services import Service
from audit.model.truth import NO
from audit.wiring.selection import namespaces_of, object_labels, selector_of
from audit.wiring.view import View


@dataclass(frozen=True, slots=True)
class Scrape:
    """A connection of a Prometheus to what a monitor names.

    Attributes:
        server: The Prometheus.
        monitor: The monitor.
        answer: The verdict of the policies, with its evidence.
    """

    server: Object
    monitor: Object
    answer: Answer


class Scrapes:
    """The targets of monitors; policies are asked once per target."""

    def __init__(self, cluster: Cluster, servers: Servers) -> None:
        self._cluster = cluster
        self._servers = servers
        self._view = View(cluster.inventory)
        self._services = _by_namespace(cluster.inventory)

    def all(self) -> Iterator[Scrape]:
        """Every target of every monitor that a Prometheus of the input selects."""
        inventory = self._cluster.inventory
        sources = {
            (each.namespace, each.name): pods_of(each, inventory, self._cluster.references)
            for each in self._servers.all
        }
        for monitor in inventory.of_kind(*ENDPOINTS):
            ends = list({(end.name, number): (end, number) for end, number in self.targets(monitor)}.values())
            for server, _truth in self._servers.of(monitor):
                for source in sources[server.namespace, server.name]:
                    for end, number in ends:
                        yield Scrape(server, monitor, self._cluster.judge.answer(Traffic(source, end, "TCP", number)))

    def targets(self, monitor: Object) -> Iterator[tuple[Endpoint, int]]:
        """The pods and ports that a monitor names; nothing where it selects nothing."""
        selector = selector_of(monitor.at("spec", "selector"))
        if selector is None:
            return
        own = self._servers.all_have(monitor, "ignoreNamespaceSelectors")
        spaces = [monitor.namespace] if own else namespaces_of(self._cluster.inventory, monitor)
        for endpoint in mappings(monitor.at("spec", ENDPOINTS[monitor.kind])):
            for space in spaces:
                if monitor.kind == "ServiceMonitor":
                    yield from self._of_services(space, selector, endpoint)
                else:
                    yield from self._of_pods(space, selector, endpoint)

    def _of_services(
        self, space: str, selector: Selector, endpoint: Mapping[str, Any]
    ) -> Iterator[tuple[Endpoint, int]]:
        for service, given in self._services.get(space, ()):
            if selector.matches(object_labels(given)) is NO:
                continue
            for port in service.ports:
                try:
                    inventory, references = self._cluster.inventory, self._cluster.references
                    ends = targets(service, port.number, port.protocol, inventory, references)
                except EndpointError:
                    continue  # nothing behind it: `tenantry audit references` reports that
                for each in ends:
                    if endpoint.get("port") == port.name or _is_port(each, endpoint.get("targetPort")):
                        yield each.endpoint, each.number

    def _of_pods(self, space: str, selector: Selector, endpoint: Mapping[str, Any]) -> Iterator[tuple[Endpoint, int]]:
        wanted = {str(endpoint[key]) for key in ("port", "portNumber", "targetPort") if endpoint.get(key)}
        for workload in self._view.selected(space, selector):
            for end in self._cluster.references.of_workload(workload):
                ports = end.pods.ports if end.pods else ()
                yield from ((end, each.number) for each in ports if wanted & {each.name, str(each.number)})


def _is_port(target: Target, wanted: Any) -> bool:
    """Whether a monitor means a port of the pods by its `targetPort`, a number or a name."""
    ports = target.endpoint.pods.ports if target.endpoint.pods else ()
    return str(wanted) in {str(target.number), *(each.name for each in ports if each.number == target.number)}


def _by_namespace(inventory: Inventory) -> dict[str, list[tuple[Service, Object]]]:
    """Services with their objects: their labels are not part of the network."""
    objects = {(each.namespace, each.name): each for each in inventory.of_kind("Service")}
    services: dict[str, list[tuple[Service, Object]]] = defaultdict(list)
    for each in inventory.services:
        if (each.namespace, each.name) in objects:
            services[each.namespace].append((each, objects[each.namespace, each.name]))
    return services


def scrape_findings(scrapes: Sequence[Scrape]) -> Iterator[Finding]:
    """Scrapes that policies deny, or that the input does not decide."""
    for each in scrapes:
        answer = each.answer
        if answer.verdict is Verdict.ALLOWED:
            continue
        denied = answer.verdict is Verdict.DENIED
        what = f"{each.server.reference} to scrape {answer.destination} on TCP {answer.port}"
        missing = "; ".join(answer.missing)
        place = next(((one.file, one.line) for one in answer.evidence if one.file), None)
        yield found(
            "scrape-denied" if denied else "scrape-not-decided",
            place or each.monitor.place,
            namespace=each.monitor.namespace,
            subject=each.monitor.reference,
            message=f"policies do not allow {what}"
            if denied
            else f"it is not known whether policies allow {what}: {missing}",
            state=State.VIOLATION if denied else State.UNDECIDED,
        )
