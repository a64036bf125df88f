"""Namespaces, workloads and the pods that they make."""

from dataclasses import dataclass, field
from typing import Final

from audit.model.addresses import Address
from audit.model.labels import NAMESPACE_NAME, Labels
from audit.model.place import Place

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace.

    Attributes:
        name: Its name.
        labels: Its labels; open where the namespace is only mentioned.
        place: Where it is declared, or None where it is only mentioned.
    """

    name: str
    labels: Labels
    place: Place | None = None

    @classmethod
    def mentioned(cls, name: str) -> "Namespace":
        """A namespace that the input does not declare: only its name is certain."""
        return cls(name, Labels({NAMESPACE_NAME: name}, open=True))


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a container declares.

    Attributes:
        number: 1 to 65535.
        protocol: TCP, UDP or SCTP.
        name: Its name, or empty.
        certain: False for a port of an init container that ends before the pod serves.
    """

    number: int
    protocol: str = "TCP"
    name: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods that look alike to every policy.

    Attributes:
        namespace: Their namespace.
        labels: Their labels.
        ports: What their containers declare.
        open_ports: Whether they may declare other ports as well: pods that do not exist yet.
        host_network: Whether they use their node's network.
        addresses: Their addresses, where the input has them.
        node_addresses: Addresses of the nodes that they run on, where the input has them.
        names: Names of the pods, where the input has them.
    """

    namespace: Namespace
    labels: Labels
    ports: tuple[ContainerPort, ...] = ()
    open_ports: bool = False
    host_network: bool = False
    addresses: tuple[Address, ...] = ()
    node_addresses: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()

    def named(self, name: str, protocol: str | None = None) -> list[ContainerPort]:
        """The ports with a name, of one protocol or of any."""
        return [port for port in self.ports if port.name == name and protocol in {None, port.protocol}]


@dataclass(frozen=True, slots=True)
class Workload:
    """What makes pods: a Deployment, a StatefulSet, a bare Pod, anything with a pod template.

    Attributes:
        kind: Its kind.
        namespace: Its namespace's name.
        name: Its name.
        pods: Its pods, grouped by what policies see; a template counts as one group.
        single: Whether it is one pod, so that traffic to itself stays inside the pod.
        place: Where it stands.
    """

    kind: str
    namespace: str
    name: str
    pods: tuple[Pods, ...]
    single: bool
    place: Place = field(compare=False)

    @property
    def reference(self) -> str:
        """How commands name it."""
        return f"{self.namespace}/{self.name}"
