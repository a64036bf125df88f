"""Services and routes that lead to nothing."""

from collections.abc import Iterator

from audit.model.finding import Finding, State
from audit.model.services import Service
from audit.model.truth import NO
from audit.wiring.view import Named, View, broken


def broken_services(view: View) -> Iterator[Finding]:
    """Services that select no pod, ports that their pods do not have, and routes to Services that do not exist."""
    for service in view.inventory.services:
        yield from _service(view, service)
    for route in view.inventory.routes:
        subject = f"{route.kind} {route.namespace}/{route.name}"
        if view.inventory.grants_route(route) is NO:
            message = f"no ReferenceGrant of {route.service_namespace} allows it to lead to the Service {route.service}"
            fix = f"Add a ReferenceGrant to {route.service_namespace}, or name a Service of its own namespace."
            of = Named(route.namespace, subject)
            yield broken(route.place, "route-without-grant", of, message, fix, state=State.VIOLATION)
        services = {each.name: each for each in view.services.get(route.service_namespace, ())}
        if (
            route.service in services
            or route.backend_kind != "Service"
            or not view.workloads.get(route.service_namespace)
        ):
            continue
        message = f"it leads to the Service {route.service_namespace}/{route.service}, which the input does not hold"
        yield broken(
            route.place, "route-without-service", Named(route.namespace, subject), message, "Correct the name."
        )


def _service(view: View, service: Service) -> Iterator[Finding]:
    of = Named(service.namespace, f"Service {service.namespace}/{service.name}")
    if service.selector is None or not view.workloads.get(service.namespace):
        return
    pods = [pods for each in view.selected(service.namespace, service.selector) for pods in each.pods]
    if not pods:
        message = f"it selects no pod: no workload of the namespace has the labels {service.selector}"
        place = service.place.at("spec", "selector")
        yield broken(place, "service-without-pods", of, message, "Correct the selector.", state=State.VIOLATION)
        return
    for index, port in enumerate(service.ports):
        place = service.place.at("spec", "ports", index, "targetPort")
        named = isinstance(port.target, str)
        declared = any(
            (item.name if named else item.number) == port.target and item.protocol == port.protocol
            for each in pods
            for item in each.ports
        )
        if declared or any(each.open_ports for each in pods):
            continue
        message = f"its port {port.number} leads to the port {port.target}, which no container of its pods declares"
        state = State.VIOLATION if named else State.WARNING
        yield broken(place, "service-without-port", of, message, "Correct targetPort.", state=state)
