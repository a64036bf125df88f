"""The two ends of a connection: pods, nodes and addresses."""

from dataclasses import dataclass
from enum import StrEnum

from audit.model.addresses import NOWHERE, Addresses
from audit.model.labels import NOT_KNOWN, Labels
from audit.model.pods import Pods


class Kind(StrEnum):
    """What an endpoint is."""

    PODS = "pods"
    NODE = "node"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A source or a destination.

    Attributes:
        kind: What it is.
        name: How messages name it.
        pods: The pods, where it is pods.
        addresses: Its address or addresses, where it is a node or an address; empty where they are not known.
        labels: A node's labels.
        single: Name of the one pod that it is, or empty.
    """

    kind: Kind
    name: str
    pods: Pods | None = None
    addresses: Addresses = NOWHERE
    labels: Labels = NOT_KNOWN
    single: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What goes from a source to a destination.

    Attributes:
        source: The source.
        destination: The destination.
        protocol: TCP, UDP or SCTP.
        number: The destination's port.
    """

    source: Endpoint
    destination: Endpoint
    protocol: str
    number: int
