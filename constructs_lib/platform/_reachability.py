"""Rules about addresses that involve several parts of `platform.yaml`."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from constructs_lib.platform._section import refusal, refuse, refuse_all
from constructs_lib.platform.validators import endpoint_host, endpoint_port, service_namespace
from constructs_lib.platform.workload import Egress
from constructs_lib.special_purpose_addresses import IpNetwork, is_public

_HTTPS = 443
_MOST = 0.5
"""Share of all addresses of a family that an egress list may hold; a network per cloud or partner is far below it."""


def check_reserved(excluded: Iterable[str], egress: Sequence[Sequence[Egress]]) -> None:
    """Check that no tenant's egress overlaps the networks that tenants must not reach.

    Args:
        excluded: the networks that tenants must not reach.
        egress: the egress of each tenant, in order.
    """
    reserved = [ipaddress.ip_network(cidr) for cidr in excluded]
    refuse_all(
        [
            refusal(
                f"must not overlap {each}, which platform.network keeps from tenants",
                "name a smaller network, or change that list",
                at=("tenants", index, "egress", number, "cidr"),
            )
            for index, entries in enumerate(egress)
            for number, entry in enumerate(entries)
            for each in reserved
            if _overlap(ipaddress.ip_network(entry.cidr), each)
        ]
    )


def check_union(egress: Sequence[Egress]) -> None:
    """Check that the networks of an egress list are together not most of the address space.

    Each network may be harmless alone, and a dozen of them everything except the addresses of metadata services.
    """
    for version in (4, 6):
        networks = [ipaddress.ip_network(each.cidr) for each in egress]
        own = ipaddress.collapse_addresses(each for each in networks if each.version == version)  # type: ignore[type-var]
        share = sum(2.0**-each.prefixlen for each in own)
        if share >= _MOST:
            rule = f"must not contain {share:.0%} of all IPv{version} addresses, which include the cluster's own"
            refuse(rule, "name the networks that the tenant needs")


def check_server(endpoint: str, egress: Mapping[str, Sequence[Egress]], *, at: tuple[str | int, ...]) -> None:
    """Check that pods can connect to a server outside the cluster.

    Args:
        endpoint: address of the server.
        egress: the egress of each tenant whose pods connect to it, by the tenant's name.
        at: where `platform.yaml` has the address.
    """
    address, port = _address(endpoint_host(endpoint)), endpoint_port(endpoint)
    if port == _HTTPS and (address is None or is_public(address)):
        return
    blocked = [
        tenant for tenant, entries in egress.items() if not any(_allows(each, address, port) for each in entries)
    ]
    if blocked:
        refuse(
            f"must be reachable, but the egress of {', '.join(blocked)} allows only public addresses on port {_HTTPS}",
            f"add the server's network with port {port} to egress",
            at=at,
        )


def check_proxies(tenants: Iterable[tuple[str, str | None, Sequence[Egress]]], *, store_namespace: str | None) -> None:
    """Check that each tenant's proxy is used, and that its pods can connect to it.

    Args:
        tenants: name, proxy and egress of each tenant, in order.
        store_namespace: the namespace of the store's pods; None if the store is outside the cluster.
    """
    for index, (tenant, proxy, egress) in enumerate(tenants):
        if proxy is None:
            continue
        at = ("tenants", index, "proxy")
        if store_namespace is not None:
            rule = f"must be absent: the store is in the namespace {store_namespace}, which pods reach without a proxy"
            refuse(rule, "remove it, or set platform.modelStore.namespace to null", at=at)
        if service_namespace(endpoint_host(proxy)) is not None:
            refuse("must be outside the cluster: pods reach no other namespace", "name another proxy", at=at)
        check_server(proxy, {tenant: egress}, at=at)


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
