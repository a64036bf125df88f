"""The allowed connections: the table that the network tests measure and the docs contain.

`python -m tests.e2e.matrix` prints it as Markdown.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """Where a connection comes from, relative to its target."""

    SAME_TENANT = "pod of the same tenant"
    OTHER_TENANT = "pod of another tenant"
    OTHER_NAMESPACE = "pod in another namespace"
    TENANT_LABELS = "... with the tenant's labels"
    PROMETHEUS_LABELS = "... with Prometheus's labels"
    PROMETHEUS = "Prometheus's pod"
    MONITORING = "another pod in monitoring"
    CLIENT = "pod of a listed client"
    CLIENT_NAMESPACE = "... without the client's labels"
    CLIENT_LABELS = "... with the client's labels, in another namespace"
    GATEWAY = "the gateway's pod"
    GATEWAY_NAMESPACE = "another pod in the gateway's namespace"
    GATEWAY_LABELS = "... with the gateway's labels, in another namespace"
    OWN_NODE = "the target's own node"
    OTHER_NODE = "another node"


class Target(StrEnum):
    """The destination of a connection."""

    SERVICE = "tenant's Service, TCP 8000"
    POD = "tenant's pod, TCP 8000"
    OTHER_PORT = "tenant's pod, TCP 8001"
    UDP = "tenant's pod, UDP 8000"
    IPV6 = "tenant's pod by IPv6, TCP 8000"
    STORE = "object store's API, TCP 9000"
    CONSOLE = "object store's console, TCP 9001"
    DNS_UDP = "cluster DNS, UDP 53"
    DNS_TCP = "cluster DNS, TCP 53"
    API_SERVER = "API server's Service, TCP 443"
    API_ADDRESS = "API server's own address"
    KUBELET = "a kubelet, TCP 10250"
    METADATA = "metadata address, TCP 80"
    PRIVATE_HTTPS = "a pod elsewhere, TCP 443"
    WORLD_HTTPS = "an address outside, TCP 443"
    WORLD_HTTP = "an address outside, TCP 80"


OF_A_TENANT: Final = (Target.SERVICE, Target.POD, Target.OTHER_PORT, Target.UDP, Target.IPV6)
"""Targets that every tenant has; the others belong to the platform."""


class Cell(StrEnum):
    """The expected result."""

    OPEN = "open"
    CLOSED = "closed"
    EXPOSED = "exposed"
    """Open, because Kubernetes always lets a node connect to its own pods: not allowed by a policy of ours."""
    CONTROL = "control"
    """Not a promise of ours; measured, since a refusal proves nothing about a target that never answers."""
    UNDEFINED = "-"
    """The combination does not exist: a Service has no node, and a target of the platform has no tenant."""


CALLERS: Final = frozenset({Source.SAME_TENANT, Source.PROMETHEUS, Source.CLIENT, Source.GATEWAY})
"""The sources that may connect to a tenant's service."""
TENANTS: Final = (Source.SAME_TENANT, Source.OTHER_TENANT)
_OPEN: Final[Mapping[Target, frozenset[Source]]] = {
    **dict.fromkeys((Target.SERVICE, Target.POD, Target.IPV6), CALLERS),
    Target.OTHER_PORT: frozenset(),
    Target.UDP: frozenset(),
    Target.STORE: frozenset({Source.SAME_TENANT}),
    Target.CONSOLE: frozenset(),
    Target.DNS_UDP: frozenset({Source.SAME_TENANT}),
    Target.DNS_TCP: frozenset({Source.SAME_TENANT}),
    Target.WORLD_HTTPS: frozenset({Source.SAME_TENANT}),
}
"""The sources that a policy of ours allows; a target that is not listed is open to no tenant."""
_PROTECTED: Final = frozenset({*OF_A_TENANT, Target.STORE, Target.CONSOLE})
"""Targets with an ingress policy of ours; only the tenants' egress policies limit connections to the others."""


def expected(source: Source, target: Target) -> Cell:
    """The expected result of a connection from `source` to `target`."""
    if source in {Source.OWN_NODE, Source.OTHER_NODE}:
        if target not in _PROTECTED:
            return Cell.CONTROL
        if target is Target.SERVICE:
            return Cell.UNDEFINED
        return Cell.EXPOSED if source is Source.OWN_NODE else Cell.CLOSED
    if source is Source.OTHER_TENANT and target not in OF_A_TENANT:
        return Cell.UNDEFINED
    if source in _OPEN.get(target, frozenset()):
        return Cell.OPEN
    return Cell.CLOSED if target in _PROTECTED or source in TENANTS else Cell.CONTROL


def markdown() -> str:
    """The table for the docs."""
    lines = ["| from | " + " | ".join(Target) + " |", "| --- |" + " --- |" * len(Target)]
    lines += [f"| {source} | " + " | ".join(expected(source, target) for target in Target) + " |" for source in Source]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - the output of this program
