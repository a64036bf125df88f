"""Who may reach whom: the one table that the network tests measure and the docs print.

`python -m tests.e2e.matrix` prints it as Markdown.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """Where a connection comes from, seen from its target."""

    SAME_TENANT = "pod of the same tenant"
    OTHER_TENANT = "pod of another tenant"
    STRANGER = "pod in another namespace"
    IMPOSTOR = "... with the tenant's labels"
    FALSE_PROMETHEUS = "... with Prometheus's labels"
    PROMETHEUS = "Prometheus's pod"
    MONITORING = "another pod in monitoring"
    OWN_NODE = "the target's own node"
    OTHER_NODE = "another node"


class Target(StrEnum):
    """What is to be reached."""

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
"""Targets that every tenant has; the others are the platform's, and every tenant is the same to them."""


class Cell(StrEnum):
    """What is expected."""

    OPEN = "open"
    CLOSED = "closed"
    EXPOSED = "exposed"
    """Open, because Kubernetes always lets a node reach its own pods: a standing exposure, no opening of ours."""
    CONTROL = "control"
    """Not ours to say; measured, since a refusal proves nothing at a target that answers nobody."""
    UNDEFINED = "-"
    """There is no such question: a Service leads to pods on any node, and what is the platform's has no tenant."""


TENANTS: Final = (Source.SAME_TENANT, Source.OTHER_TENANT)
_OPEN: Final[Mapping[Target, frozenset[Source]]] = {
    Target.SERVICE: frozenset({Source.SAME_TENANT, Source.PROMETHEUS}),
    Target.POD: frozenset({Source.SAME_TENANT, Source.PROMETHEUS}),
    Target.IPV6: frozenset({Source.SAME_TENANT, Source.PROMETHEUS}),
    Target.OTHER_PORT: frozenset(),
    Target.UDP: frozenset(),
    Target.STORE: frozenset({Source.SAME_TENANT}),
    Target.CONSOLE: frozenset(),
    Target.DNS_UDP: frozenset({Source.SAME_TENANT}),
    Target.DNS_TCP: frozenset({Source.SAME_TENANT}),
    Target.WORLD_HTTPS: frozenset({Source.SAME_TENANT}),
}
"""Who is let in, or out, by a policy of ours; a target that is not here is open to no tenant."""
_GUARDED: Final = frozenset({*OF_A_TENANT, Target.STORE, Target.CONSOLE})
"""Targets with a policy of ours round them: closed to everybody who is not named. Round the others stand only the
tenants' own walls."""


def expected(source: Source, target: Target) -> Cell:
    """What a connection from `source` to `target` must find."""
    if source in {Source.OWN_NODE, Source.OTHER_NODE}:
        if target not in _GUARDED:
            return Cell.CONTROL
        if target is Target.SERVICE:
            return Cell.UNDEFINED
        return Cell.EXPOSED if source is Source.OWN_NODE else Cell.CLOSED
    if source is Source.OTHER_TENANT and target not in OF_A_TENANT:
        return Cell.UNDEFINED
    if source in _OPEN.get(target, frozenset()):
        return Cell.OPEN
    return Cell.CLOSED if target in _GUARDED or source in TENANTS else Cell.CONTROL


def markdown() -> str:
    """The table as the docs print it."""
    lines = ["| from | " + " | ".join(Target) + " |", "| --- |" + " --- |" * len(Target)]
    lines += [f"| {source} | " + " | ".join(expected(source, target) for target in Target) + " |" for source in Source]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - what was asked for
