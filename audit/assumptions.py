"""What the user says about a cluster that its YAML cannot say."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import AuditError
from audit.model.addresses import Addresses


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Where pods, Services and nodes have their addresses, and whether an ipBlock covers pods.

    Attributes:
        pod_cidrs: Addresses of pods, or nothing where they are not known.
        service_cidrs: Cluster IPs of Services.
        node_cidrs: Addresses of nodes.
        ip_blocks_cover_pods: Whether an `ipBlock` of a NetworkPolicy applies to pods and nodes that have an address in
            it. Implementations differ, so None means that it is not known.
    """

    pod_cidrs: Addresses
    service_cidrs: Addresses
    node_cidrs: Addresses
    ip_blocks_cover_pods: bool | None

    def __init__(
        self,
        *,
        pod_cidrs: Iterable[str] = (),
        service_cidrs: Iterable[str] = (),
        node_cidrs: Iterable[str] = (),
        ip_blocks_cover_pods: bool | None = None,
    ) -> None:
        given = {"pod_cidrs": pod_cidrs, "service_cidrs": service_cidrs, "node_cidrs": node_cidrs}
        for name, cidrs in given.items():
            object.__setattr__(self, name, _addresses(name, cidrs))
        object.__setattr__(self, "ip_blocks_cover_pods", ip_blocks_cover_pods)


def _addresses(name: str, cidrs: Iterable[str]) -> Addresses:
    result = Addresses()
    for cidr in cidrs:
        try:
            network = ipaddress.ip_network(cidr, strict=False)
        except ValueError as error:
            option = "--" + name.removesuffix("s").replace("_", "-")
            raise AuditError(f"{option} {cidr!r} is not a CIDR; write one such as 10.244.0.0/16") from error
        result |= Addresses.of(network)
    return result
