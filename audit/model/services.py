"""Services and the routes that lead to them."""

from dataclasses import dataclass

from audit.model.addresses import Address
from audit.model.labels import Selector
from audit.model.place import Place


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service.

    Attributes:
        number: The Service's port.
        protocol: TCP, UDP or SCTP.
        name: Its name, or empty.
        target: Number or name of the pods' port.
        node_port: Port on every node, or None.
    """

    number: int
    protocol: str
    name: str
    target: int | str
    node_port: int | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """An address that somebody wrote into the Endpoints or EndpointSlices of a Service.

    Attributes:
        address: The address.
        ports: Number by the Service port's name, as (name, protocol, number).
        pod: Name of the pod that has it, or empty.
    """

    address: Address
    ports: tuple[tuple[str, str, int], ...]
    pod: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A Service.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        type: ClusterIP, NodePort, LoadBalancer or ExternalName.
        selector: Selects its pods, or None: then its endpoints are written by hand.
        ports: Its ports.
        cluster_ips: Its addresses, where the input has them.
        external_ips: Addresses of `externalIPs`.
        external_name: The name that an ExternalName Service stands for, or empty.
        headless: Whether it has no address of its own.
        allocates_node_ports: Whether a LoadBalancer Service gets node ports that its ports do not name.
        backends: Addresses of its Endpoints that are not those of the pods that it selects.
        host_names: Host names of its EndpointSlices.
        place: Where it stands.
    """

    namespace: str
    name: str
    type: str
    selector: Selector | None
    ports: tuple[ServicePort, ...]
    cluster_ips: tuple[Address, ...]
    external_ips: tuple[str, ...]
    external_name: str
    headless: bool
    allocates_node_ports: bool
    backends: tuple[Backend, ...]
    host_names: tuple[str, ...]
    place: Place

    @property
    def reference(self) -> str:
        """How commands name it."""
        return f"{self.namespace}/service/{self.name}"

    @property
    def opens_nodes(self) -> bool:
        """Whether it opens ports of the nodes."""
        if self.type != "LoadBalancer":
            return self.type == "NodePort"
        return self.allocates_node_ports or any(each.node_port for each in self.ports)


@dataclass(frozen=True, slots=True)
class Route:
    """A way in through an ingress controller or a gateway.

    Attributes:
        kind: Ingress, HTTPRoute, ...
        namespace: Its namespace.
        name: Its name.
        hosts: Host names; empty for any.
        parents: The Ingress class, or the gateways, as written.
        service_namespace: Namespace of the Service that it leads to.
        service: Name of that Service.
        port: Its port, by number or name; None where the route does not say.
        place: Where the backend stands.
        backend_group: API group of the backend.
        backend_kind: Service, or ServiceImport for the Service of that name and namespace in several clusters.
    """

    kind: str
    namespace: str
    name: str
    hosts: tuple[str, ...]
    parents: tuple[str, ...]
    service_namespace: str
    service: str
    port: int | str | None
    place: Place
    backend_group: str = ""
    backend_kind: str = "Service"
