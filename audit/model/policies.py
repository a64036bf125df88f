"""Policies of every supported kind in one form: ordered rules over peers and ports."""

from dataclasses import dataclass
from enum import StrEnum

from audit.model.addresses import Addresses
from audit.model.labels import Selector
from audit.model.place import Place


class Direction(StrEnum):
    """Which side of a connection a rule restricts."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Action(StrEnum):
    """What a rule does with the traffic that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"
    PASS = "Pass"  # noqa: S105 - the word of the API


class Tier(StrEnum):
    """The order of evaluation: admin, then NetworkPolicy, then baseline."""

    ADMIN = "admin"
    NETWORK = "network"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class PodPeer:
    """Pods by their namespace's labels and their own.

    Attributes:
        namespaces: Selector of namespaces, or None for the policy's own namespace.
        pods: Selector of pods.
        with_host_network: Whether implementations may match pods on the host network.
    """

    namespaces: Selector | None
    pods: Selector
    with_host_network: bool


@dataclass(frozen=True, slots=True)
class BlockPeer:
    """Addresses.

    Attributes:
        block: The addresses, without those excepted.
        written: The same, as the policy writes it.
        covers_pods: Whether the API says that pods with such an address are covered. None: implementations differ.
    """

    block: Addresses
    written: str
    covers_pods: bool | None


@dataclass(frozen=True, slots=True)
class NodePeer:
    """Nodes by their labels."""

    nodes: Selector


@dataclass(frozen=True, slots=True)
class NamePeer:
    """Domain names, which may be anywhere.

    Attributes:
        names: The names, as written.
    """

    names: tuple[str, ...]


Peer = PodPeer | BlockPeer | NodePeer | NamePeer


@dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports of one protocol.

    Attributes:
        protocol: TCP, UDP or SCTP.
        low: First port.
        high: Last port.
    """

    protocol: str
    low: int = 1
    high: int = 65535


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port by the name that the destination's containers give it.

    Attributes:
        name: The name.
        protocol: TCP, UDP or SCTP, or None for any.
    """

    name: str
    protocol: str | None


PortMatch = Ports | NamedPort


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy.

    Attributes:
        action: What it does.
        peers: The other side, any of them; None for everything.
        ports: The destination's ports, any of them; None for all.
        place: Where it stands.
        peer_field: Name of the list of peers in the rule: from or to.
        port_field: Name of the list of ports in the rule: ports or protocols.
    """

    action: Action
    peers: tuple[Peer, ...] | None
    ports: tuple[PortMatch, ...] | None
    place: Place
    peer_field: str
    port_field: str = "ports"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy.

    Attributes:
        kind: Its kind.
        namespace: Its namespace, or None for one of the whole cluster.
        name: Its name.
        tier: Its tier.
        priority: Precedence in its tier, lowest first; 0 for NetworkPolicies, where there is none.
        subject: The pods that it applies to.
        ingress: Its ingress rules, or None where it does not restrict ingress.
        egress: Its egress rules, or None where it does not restrict egress.
        place: Where it stands.
    """

    kind: str
    namespace: str | None
    name: str
    tier: Tier
    priority: int
    subject: PodPeer
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None
    place: Place

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        """The rules of a direction, or None where the policy does not restrict it."""
        return self.ingress if direction is Direction.INGRESS else self.egress

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class OpaquePolicy:
    """A policy that the audit does not evaluate: of an unsupported kind, or invalid.

    Attributes:
        kind: Its kind, with the API group where that is not Kubernetes' own.
        namespace: Its namespace, or None where it may affect every pod.
        name: Its name.
        reason: Why it is not evaluated.
        place: Where it stands.
    """

    kind: str
    namespace: str | None
    name: str
    reason: str
    place: Place

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"
