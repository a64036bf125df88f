"""The specs of policies, as types.

They refuse unknown fields, as `kubectl apply` does: a misspelt field would otherwise silently mean something else.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class _Strict(Struct, rename="camel", forbid_unknown_fields=True):
    """Refuses fields that it does not list."""


Port = Annotated[int, Meta(ge=1, le=65535)]
Priority = Annotated[int, Meta(ge=0, le=1000)]


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
