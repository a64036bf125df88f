"""Rules about addresses that involve several parts of `platform.yaml`."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from constructs_lib.platform._section import refusal, refuse, refuse_all
from constructs_lib.platform.workload import Egress
from constructs_lib.special_purpose_addresses import IpNetwork, is_public

_HTTPS = 443


def check_reserved(except_cidrs: Iterable[str], egress: Sequence[Sequence[Egress]]) -> None:
    """Check that no tenant's egress overlaps the networks that tenants must not reach.

    Args:
        except_cidrs: the networks that tenants must not reach.
        egress: the egress of each tenant, in order.
    """
    reserved = [ipaddress.ip_network(cidr) for cidr in except_cidrs]
    refuse_all(
        [
            refusal(
                f"must not overlap {each}, which platform.network.exceptCidrs keeps from tenants",
                "name a smaller network, or remove one of the two",
                at=("tenants", index, "egress", number, "cidr"),
            )
            for index, entries in enumerate(egress)
            for number, entry in enumerate(entries)
            for each in reserved
            if _overlap(ipaddress.ip_network(entry.cidr), each)
        ]
    )


def check_store(host: str, port: int, egress: Mapping[str, Sequence[Egress]]) -> None:
    """Check that pods can connect to a store outside the cluster.

    Args:
        host: host of the store.
        port: port of the store.
        egress: the egress of each tenant whose model is in the store, by the tenant's name.
    """
    address = _address(host)
    if port == _HTTPS and (address is None or is_public(address)):
        return
    blocked = [
        tenant for tenant, entries in egress.items() if not any(_allows(each, address, port) for each in entries)
    ]
    if blocked:
        refuse(
            f"must be reachable, but the egress of {', '.join(blocked)} allows only public addresses on port {_HTTPS}",
            f"add the store's network with port {port} to egress",
            at=("platform", "modelStore", "endpoint"),
        )


def _allows(egress: Egress, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int) -> bool:
    """Whether an egress entry covers an address, or may cover an unknown one."""
    is_port = (egress.port, egress.protocol) == (port, "TCP")
    return is_port and (address is None or address in ipaddress.ip_network(egress.cidr))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _overlap(one: IpNetwork, other: IpNetwork) -> bool:
    return one.version == other.version and one.overlaps(other)
