"""Where a connection to a Service ends: policies see the pod and its port, not the Service."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.engine.endpoints import Endpoint
from audit.engine.references import References
from audit.errors import EndpointError
from audit.model.inventory import Inventory
from audit.model.pods import Workload
from audit.model.services import Service, ServicePort
from audit.model.truth import NO, YES, Truth


@dataclass(frozen=True, slots=True)
class Target:
    """A port of an endpoint.

    Attributes:
        endpoint: The endpoint.
        number: The port.
        notes: What a reader should know of the way there.
    """

    endpoint: Endpoint
    number: int
    notes: tuple[str, ...] = ()


def selected(service: Service, inventory: Inventory) -> Iterator[tuple[Workload, Truth]]:
    """The workloads whose pods a Service selects, or may select."""
    if service.selector is None:
        return
    for workload in inventory.workloads:
        if workload.namespace == service.namespace:
            truth = max(service.selector.matches(pods.labels) for pods in workload.pods)
            if truth is not NO:
                yield workload, truth


def service_port(service: Service, port: int | str, protocol: str) -> ServicePort:
    """The port of a Service by number or name.

    Raises:
        EndpointError: It has none.
    """
    wanted = int(port) if isinstance(port, str) and port.isdecimal() else port
    for each in service.ports:
        if each.protocol == protocol and wanted in {each.number, each.name}:
            return each
    has = ", ".join(f"{each.protocol} {each.number} {each.name}".strip() for each in service.ports) or "no port"
    raise EndpointError(f"Service {service.reference} has no {protocol} port {port}; it has {has}")


def targets(
    service: Service, port: int | str, protocol: str, inventory: Inventory, references: References
) -> list[Target]:
    """Where a connection to a port of a Service may end.

    Raises:
        EndpointError: The Service has no such port, or nothing behind it.
    """
    if service.external_name:
        raise EndpointError(
            f"Service {service.reference} is an alias of {service.external_name}: name an address instead"
        )
    if service.headless and isinstance(port, int) and service.selector is not None and not service.ports:
        found = [Target(each, port) for each in _pods(service, inventory, references)]
    else:
        found = list(_targets(service, service_port(service, port, protocol), inventory, references))
    if not found:
        raise EndpointError(f"Service {service.reference} has no pods and no endpoints in the input")
    return found


def _targets(service: Service, port: ServicePort, inventory: Inventory, references: References) -> Iterator[Target]:
    for end in _pods(service, inventory, references):
        pods = end.pods
        numbers = [port.target] if isinstance(port.target, int) else []
        if isinstance(port.target, str) and pods is not None:
            numbers = [each.number for each in pods.named(port.target, port.protocol)]
        for number in dict.fromkeys(numbers):
            yield Target(end, number, (f"through Service {service.reference}: policies see port {number} of the pods",))
    for backend in service.backends:
        for name, protocol, number in backend.ports:
            if protocol == port.protocol and name == port.name:
                yield Target(references.backend(backend.address), number, (f"through Service {service.reference}",))


def _pods(service: Service, inventory: Inventory, references: References) -> Iterator[Endpoint]:
    for workload, _truth in selected(service, inventory):
        for end in references.of_workload(workload):
            if (
                service.selector is not None
                and end.pods is not None
                and service.selector.matches(end.pods.labels) is YES
            ):
                yield end
