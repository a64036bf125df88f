"""The parts of Kubernetes' objects that the audit reads, as types.

Objects are checked against them in one step (msgspec). Policies refuse unknown fields, as `kubectl apply` does: a
misspelt field would otherwise silently mean something else. Other kinds ignore what is not listed here.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class _Open(Struct, rename="camel"):
    """Ignores fields that it does not list."""


class _Strict(Struct, rename="camel", forbid_unknown_fields=True):
    """Refuses fields that it does not list."""


Port = Annotated[int, Meta(ge=1, le=65535)]
Priority = Annotated[int, Meta(ge=0, le=1000)]


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


class LabelSelectorRequirement(_Strict):
    """A condition of a selector."""

    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(_Strict):
    """A label selector."""

    match_labels: dict[str, Any] | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


# NetworkPolicy, networking.k8s.io/v1


class IPBlock(_Strict):
    """An `ipBlock`."""

    cidr: str
    # "except" is a word of Python.
    excepted: list[str] | None = msgspec.field(default=None, name="except")


class NetworkPolicyPeer(_Strict):
    """A peer of a NetworkPolicy."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyPort(_Strict):
    """A port of a NetworkPolicy."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class IngressRule(_Strict):
    """An ingress rule of a NetworkPolicy."""

    sources: list[NetworkPolicyPeer] | None = msgspec.field(default=None, name="from")
    ports: list[NetworkPolicyPort] | None = None


class EgressRule(_Strict):
    """An egress rule of a NetworkPolicy."""

    to: list[NetworkPolicyPeer] | None = None
    ports: list[NetworkPolicyPort] | None = None


class NetworkPolicySpec(_Strict):
    """The spec of a NetworkPolicy."""

    pod_selector: LabelSelector | None = None
    policy_types: list[str] | None = None
    ingress: list[IngressRule] | None = None
    egress: list[EgressRule] | None = None


# AdminNetworkPolicy and BaselineAdminNetworkPolicy, policy.networking.k8s.io/v1alpha1


class NamespacedPod(_Strict):
    """Pods in selected namespaces."""

    pod_selector: LabelSelector
    namespace_selector: LabelSelector = msgspec.field(default_factory=LabelSelector)


class Subject(_Strict):
    """The subject of an admin policy."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPod | None = None


class AdminPeer(_Strict):
    """A peer of an admin policy."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPod | None = None
    nodes: LabelSelector | None = None
    networks: Annotated[list[str], Meta(min_length=1, max_length=25)] | None = None
    domain_names: Annotated[list[str], Meta(min_length=1, max_length=25)] | None = None


class AdminPortNumber(_Strict):
    """A port by number."""

    port: Port
    protocol: str = "TCP"


class AdminPortRange(_Strict):
    """A range of ports."""

    start: Port
    end: Port
    protocol: str = "TCP"


class AdminPort(_Strict):
    """A port of an admin policy (v1alpha1)."""

    port_number: AdminPortNumber | None = None
    port_range: AdminPortRange | None = None
    named_port: str | None = None


class PortRange(_Strict):
    """A range of ports."""

    start: Port
    end: Port


class DestinationPort(_Strict):
    """A port or a range."""

    number: Port | None = None
    range: PortRange | None = None


class ProtocolPorts(_Strict):
    """The ports of one protocol."""

    destination_port: DestinationPort | None = None


class Protocol(_Strict):
    """A protocol with its ports (v1alpha2)."""

    tcp: ProtocolPorts | None = None
    udp: ProtocolPorts | None = None
    sctp: ProtocolPorts | None = None
    destination_named_port: str | None = None


Peers = Annotated[list[AdminPeer], Meta(min_length=1, max_length=100)]


class AdminRule(_Strict):
    """A rule of an admin policy."""

    action: str
    name: Annotated[str, Meta(max_length=100)] = ""
    sources: Peers | None = msgspec.field(default=None, name="from")
    to: Peers | None = None
    ports: Annotated[list[AdminPort], Meta(min_length=1, max_length=100)] | None = None
    protocols: Annotated[list[Protocol], Meta(min_length=1, max_length=25)] | None = None


class AdminPolicySpec(_Strict):
    """The spec of an admin policy of any version."""

    subject: Subject
    tier: str | None = None
    priority: Priority | None = None
    ingress: Annotated[list[AdminRule], Meta(max_length=100)] | None = None
    egress: Annotated[list[AdminRule], Meta(max_length=100)] | None = None


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
    namespace: str | None = None
    kind: str = "Service"
    port: int | None = None


class RouteRule(_Open):
    """A rule of a route."""

    backend_refs: list[BackendRef] | None = None


class RouteSpec(_Open):
    """The spec of a Gateway API route."""

    parent_refs: list[ParentRef] | None = None
    hostnames: list[str] | None = None
    rules: list[RouteRule] | None = None
