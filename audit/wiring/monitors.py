"""Monitors that select nothing, and rules that no Prometheus selects."""

from collections.abc import Iterator

from audit.model.finding import Finding, State
from audit.model.labels import NAMESPACE_NAME, Labels
from audit.model.objects import Object, listed, mapping, mappings
from audit.model.truth import NO
from audit.wiring.view import View, broken, selector_of

_SELECTORS = {
    "ServiceMonitor": ("serviceMonitorSelector", "serviceMonitorNamespaceSelector"),
    "PodMonitor": ("podMonitorSelector", "podMonitorNamespaceSelector"),
    "PrometheusRule": ("ruleSelector", "ruleNamespaceSelector"),
}


def broken_monitors(view: View) -> Iterator[Finding]:
    """Monitors without Services, pods or ports, and what no Prometheus of the input selects."""
    for monitor in view.inventory.of_kind("ServiceMonitor"):
        yield from _service_monitor(view, monitor)
    for monitor in view.inventory.of_kind("PodMonitor"):
        yield from _pod_monitor(view, monitor)
    servers = view.inventory.of_kind("Prometheus")
    for kind in _SELECTORS if servers else ():
        for each in view.inventory.of_kind(kind):
            if not any(_takes(view, server, each) for server in servers):
                message = f"no Prometheus of the input selects it: {', '.join(server.reference for server in servers)}"
                fix = "Give it the labels that the Prometheus selects."
                place = each.place.at("metadata", "labels")
                yield broken(place, "unselected-by-prometheus", each, message, fix, state=State.VIOLATION)


def namespaces_of(view: View, monitor: Object) -> list[str]:
    """The namespaces in which a monitor selects."""
    given = monitor.at("spec", "namespaceSelector")
    if not isinstance(given, dict):
        return [monitor.namespace]
    if given.get("any") is True:
        return list(view.inventory.namespaces)
    return [str(each) for each in listed(given.get("matchNames")) or [monitor.namespace]]


def _service_monitor(view: View, monitor: Object) -> Iterator[Finding]:
    selector = selector_of(monitor.at("spec", "selector"))
    spaces = namespaces_of(view, monitor)
    if selector is None or not any(view.services.get(each) for each in spaces):
        return
    # The labels of Services are not part of the network, so they come from the objects.
    services = [
        each
        for each in view.inventory.of_kind("Service")
        if each.namespace in spaces and selector.matches(_labels(each)) is not NO
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
    spaces = [each for each in namespaces_of(view, monitor) if view.workloads.get(each)]
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


def _takes(view: View, server: Object, given: Object) -> bool:
    """Whether a Prometheus selects a monitor or a rule, or may select it."""
    objects, spaces = (server.at("spec", field) for field in _SELECTORS[given.kind])
    selector = selector_of(objects)
    if selector is None or selector.matches(_labels(given)) is NO:
        return False
    if spaces is None:
        return given.namespace == server.namespace
    of_spaces = selector_of(spaces)
    namespace = view.inventory.namespaces.get(given.namespace)
    labels = namespace.labels if namespace else Labels({NAMESPACE_NAME: given.namespace}, open=True)
    return of_spaces is not None and of_spaces.matches(labels) is not NO


def _labels(given: Object) -> Labels:
    return Labels({str(key): str(value) for key, value in mapping(given.at("metadata", "labels")).items()})
