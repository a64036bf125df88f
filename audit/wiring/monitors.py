"""Monitors that select nothing, and what no Prometheus or Alertmanager selects."""

from collections.abc import Iterator

from audit.model.finding import Finding, State
from audit.model.objects import Object, mappings
from audit.model.truth import NO
from audit.wiring.selection import SELECTED_BY, namespaces_of, object_labels, selector_of, takes
from audit.wiring.view import View, broken


def broken_monitors(view: View) -> Iterator[Finding]:
    """Monitors without Services, pods or ports, and what no Prometheus or Alertmanager of the input selects."""
    for monitor in view.inventory.of_kind("ServiceMonitor"):
        yield from _service_monitor(view, monitor)
    for monitor in view.inventory.of_kind("PodMonitor"):
        yield from _pod_monitor(view, monitor)
    yield from unselected(view)


def unselected(view: View) -> Iterator[Finding]:
    """What no Prometheus, or no Alertmanager, of the input selects, if the input holds one."""
    for kind, fields in SELECTED_BY.items():
        servers = view.inventory.of_kind(kind)
        for each in view.inventory.of_kind(*fields) if servers else ():
            if all(takes(view.inventory, server, each) is NO for server in servers):
                message = f"no {kind} of the input selects it: {', '.join(server.reference for server in servers)}"
                fix = f"Give it the labels that the {kind} selects."
                place = each.place.at("metadata", "labels")
                yield broken(place, f"unselected-by-{kind.lower()}", each, message, fix, state=State.VIOLATION)


def _service_monitor(view: View, monitor: Object) -> Iterator[Finding]:
    selector = selector_of(monitor.at("spec", "selector"))
    spaces = namespaces_of(view.inventory, monitor)
    if selector is None or not any(view.services.get(each) for each in spaces):
        return
    # The labels of Services are not part of the network, so they come from the objects.
    services = [
        each
        for each in view.inventory.of_kind("Service")
        if each.namespace in spaces and selector.matches(object_labels(each)) is not NO
    ]
    place = monitor.place.at("spec")
    if not services:
        message = f"it selects no Service: none has the labels {selector}"
        yield broken(
            place.at("selector"),
            "monitor-without-targets",
            monitor,
            message,
            "Correct the selector.",
            state=State.VIOLATION,
        )
        return
    known = [each for space in spaces for each in view.services.get(space, ())]
    chosen = {(each.namespace, each.name) for each in services}
    ports = {port.name for each in known if (each.namespace, each.name) in chosen for port in each.ports}
    yield from _ports(monitor, "endpoints", ports, "Service that it selects")


def _pod_monitor(view: View, monitor: Object) -> Iterator[Finding]:
    selector = selector_of(monitor.at("spec", "selector"))
    spaces = [each for each in namespaces_of(view.inventory, monitor) if view.workloads.get(each)]
    if selector is None or not spaces:
        return
    pods = [pods for space in spaces for each in view.selected(space, selector) for pods in each.pods]
    if not pods:
        message = f"it selects no pod: no workload has the labels {selector}"
        place = monitor.place.at("spec", "selector")
        yield broken(place, "monitor-without-targets", monitor, message, "Correct the selector.", state=State.VIOLATION)
        return
    yield from _ports(
        monitor, "podMetricsEndpoints", {port.name for each in pods for port in each.ports}, "pod that it selects"
    )


def _ports(monitor: Object, field: str, ports: set[str], of: str) -> Iterator[Finding]:
    for index, endpoint in enumerate(mappings(monitor.at("spec", field))):
        name = endpoint.get("port")
        if isinstance(name, str) and name not in ports:
            message = f"it scrapes the port {name}, which no {of} has"
            place = monitor.place.at("spec", field, index, "port")
            yield broken(place, "monitor-without-port", monitor, message, "Correct the name.", state=State.VIOLATION)
