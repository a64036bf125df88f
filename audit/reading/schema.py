"""The parts of Kubernetes' objects that the audit reads, as types.

Objects are checked against them in one step (msgspec). What is not listed here is ignored; policies have types of their
own, in `policy_schema`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class _Open(Struct, rename="camel"):
    """Ignores fields that it does not list."""


Port = Annotated[int, Meta(ge=1, le=65535)]


class OwnerReference(_Open):
    """Who owns an object."""

    kind: str
    name: str
    controller: bool | None = None


class Metadata(_Open):
    """An object's metadata."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None
    owner_references: list[OwnerReference] | None = None


# Pods and what makes them


class ContainerPort(_Open):
    """A port of a container."""

    container_port: Port
    name: str | None = None
    protocol: str | None = None


class Container(_Open):
    """A container."""

    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class PodSpec(_Open):
    """The spec of a pod."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    host_network: bool | None = None


class PodIP(_Open):
    """An address of a pod or of its node."""

    ip: str | None = None


class PodStatus(_Open):
    """The status of a pod."""

    phase: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    pod_ips: list[PodIP] | None = msgspec.field(default=None, name="podIPs")
    host_ip: str | None = msgspec.field(default=None, name="hostIP")
    host_ips: list[PodIP] | None = msgspec.field(default=None, name="hostIPs")


class PodTemplate(_Open):
    """A pod template, or a pod."""

    metadata: Metadata | None = None
    spec: PodSpec | None = None


# Services, endpoints, routes, nodes


class ServicePort(_Open):
    """A port of a Service."""

    port: Port
    name: str | None = None
    protocol: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class ServiceSpec(_Open):
    """The spec of a Service."""

    type: str | None = None
    selector: dict[str, Any] | None = None
    ports: list[ServicePort] | None = None
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    cluster_ips: list[str] | None = msgspec.field(default=None, name="clusterIPs")
    external_ips: list[str] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str | None = None
    allocate_load_balancer_node_ports: bool | None = None


class TargetRef(_Open):
    """What an endpoint stands for."""

    kind: str | None = None
    name: str | None = None


class EndpointAddress(_Open):
    """An address of Endpoints."""

    ip: str
    target_ref: TargetRef | None = None


class EndpointPort(_Open):
    """A port of Endpoints or of an EndpointSlice."""

    port: Port | None = None
    name: str | None = None
    protocol: str | None = None


class EndpointSubset(_Open):
    """A subset of Endpoints."""

    addresses: list[EndpointAddress] | None = None
    ports: list[EndpointPort] | None = None


class SliceEndpoint(_Open):
    """An endpoint of an EndpointSlice."""

    addresses: list[str]
    target_ref: TargetRef | None = None


class NodeAddress(_Open):
    """An address of a node."""

    type: str
    address: str


class NodeStatus(_Open):
    """The status of a node."""

    addresses: list[NodeAddress] | None = None


class IngressPort(_Open):
    """A port of a Service, by number or name."""

    number: int | None = None
    name: str | None = None


class IngressService(_Open):
    """A Service behind an Ingress."""

    name: str
    port: IngressPort | None = None


class IngressBackend(_Open):
    """A backend of an Ingress."""

    service: IngressService | None = None


class IngressPath(_Open):
    """A path of an Ingress rule."""

    backend: IngressBackend | None = None


class IngressHttp(_Open):
    """The paths of an Ingress rule."""

    paths: list[IngressPath] | None = None


class IngressRoute(_Open):
    """A rule of an Ingress."""

    host: str | None = None
    http: IngressHttp | None = None


class IngressSpec(_Open):
    """The spec of an Ingress."""

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    rules: list[IngressRoute] | None = None


class ParentRef(_Open):
    """A gateway that a route belongs to."""

    name: str
    namespace: str | None = None
    kind: str = "Gateway"


class BackendRef(_Open):
    """Where a route leads to."""

    name: str
    group: str | None = None
    namespace: str | None = None
    kind: str = "Service"
    port: int | None = None
    filters: list["RouteFilter"] | None = None


class RequestMirror(_Open):
    """Where a filter sends a copy of each request."""

    backend_ref: BackendRef | None = None


class RouteFilter(_Open):
    """A filter of a rule, or of one of its backends."""

    request_mirror: RequestMirror | None = None


class RouteRule(_Open):
    """A rule of a route."""

    backend_refs: list[BackendRef] | None = None
    filters: list[RouteFilter] | None = None


class RouteSpec(_Open):
    """The spec of a Gateway API route."""

    parent_refs: list[ParentRef] | None = None
    hostnames: list[str] | None = None
    rules: list[RouteRule] | None = None
