"""Addresses that are not public, from the special-purpose address registries of IANA.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry, both as of 2025-10-09 (CC0). To update the tables, compare
them with the CSV files there, entry by entry.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

IpNetwork = IPv4Network | IPv6Network


class Block(NamedTuple):
    """An entry of a registry.

    `globally_reachable` is the registry's column of that name; None where the registry has no value.
    """

    cidr: str
    name: str
    rfc: int
    globally_reachable: bool | None = False


IPV4: Final = (
    Block("0.0.0.0/8", "This network", 791),
    Block("0.0.0.0/32", "This host on this network", 1122),
    Block("10.0.0.0/8", "Private-Use", 1918),
    Block("100.64.0.0/10", "Shared Address Space", 6598),
    Block("127.0.0.0/8", "Loopback", 1122),
    Block("169.254.0.0/16", "Link Local", 3927),
    Block("172.16.0.0/12", "Private-Use", 1918),
    Block("192.0.0.0/24", "IETF Protocol Assignments", 6890),
    Block("192.0.0.0/29", "IPv4 Service Continuity Prefix", 7335),
    Block("192.0.0.8/32", "IPv4 dummy address", 7600),
    Block("192.0.0.9/32", "Port Control Protocol Anycast", 7723, globally_reachable=True),
    Block("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", 8155, globally_reachable=True),
    Block("192.0.0.170/32", "NAT64/DNS64 Discovery", 8880),
    Block("192.0.0.171/32", "NAT64/DNS64 Discovery", 8880),
    Block("192.0.2.0/24", "Documentation (TEST-NET-1)", 5737),
    Block("192.31.196.0/24", "AS112-v4", 7535, globally_reachable=True),
    Block("192.52.193.0/24", "AMT", 7450, globally_reachable=True),
    Block("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", 7526, globally_reachable=None),
    Block("192.88.99.2/32", "6a44-relay anycast address", 6751),
    Block("192.168.0.0/16", "Private-Use", 1918),
    Block("192.175.48.0/24", "Direct Delegation AS112 Service", 7534, globally_reachable=True),
    Block("198.18.0.0/15", "Benchmarking", 2544),
    Block("198.51.100.0/24", "Documentation (TEST-NET-2)", 5737),
    Block("203.0.113.0/24", "Documentation (TEST-NET-3)", 5737),
    Block("240.0.0.0/4", "Reserved", 1112),
    Block("255.255.255.255/32", "Limited Broadcast", 919),
)
IPV6: Final = (
    Block("::1/128", "Loopback Address", 4291),
    Block("::/128", "Unspecified Address", 4291),
    Block("::ffff:0:0/96", "IPv4-mapped Address", 4291),
    Block("64:ff9b::/96", "IPv4-IPv6 Translation", 6052, globally_reachable=True),
    Block("64:ff9b:1::/48", "IPv4-IPv6 Translation", 8215),
    Block("100::/64", "Discard-Only Address Block", 6666),
    Block("100:0:0:1::/64", "Dummy IPv6 Prefix", 9780),
    Block("2001::/23", "IETF Protocol Assignments", 2928),
    Block("2001::/32", "TEREDO", 4380, globally_reachable=None),
    Block("2001:1::1/128", "Port Control Protocol Anycast", 7723, globally_reachable=True),
    Block("2001:1::2/128", "Traversal Using Relays around NAT Anycast", 8155, globally_reachable=True),
    Block("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", 9665, globally_reachable=True),
    Block("2001:2::/48", "Benchmarking", 5180),
    Block("2001:3::/32", "AMT", 7450, globally_reachable=True),
    Block("2001:4:112::/48", "AS112-v6", 7535, globally_reachable=True),
    Block("2001:10::/28", "Deprecated (previously ORCHID)", 4843, globally_reachable=None),
    Block("2001:20::/28", "ORCHIDv2", 7343, globally_reachable=True),
    Block("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", 9374, globally_reachable=True),
    Block("2001:db8::/32", "Documentation", 3849),
    Block("2002::/16", "6to4", 3056, globally_reachable=None),
    Block("2620:4f:8000::/48", "Direct Delegation AS112 Service", 7534, globally_reachable=True),
    Block("3fff::/20", "Documentation", 9637),
    Block("5f00::/16", "Segment Routing (SRv6) SIDs", 9602),
    Block("fc00::/7", "Unique-Local", 4193),
    Block("fe80::/10", "Link-Local Unicast", 4291),
)
ALSO_EXCLUDED: Final = {
    "64:ff9b::/96": "translates to every IPv4 address, private ones included",
    "224.0.0.0/4": "multicast (RFC 5771), which has a registry of its own",
    "::/80": "IPv4-compatible and IPv4-mapped addresses; the API server refuses ::ffff:0:0/96 as an IPv6 network",
    "fec0::/10": "deprecated site-local addresses (RFC 3879), which the registry no longer lists",
    "ff00::/8": "multicast (RFC 4291), which has a registry of its own",
}
"""Networks that are excluded although the registries do not say so, with the reason."""
NOT_EXCLUDED: Final = {
    "192.0.2.0/24": "documentation",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
}
"""Networks that are not excluded although the registries call them not reachable.

No route leads to documentation addresses; test environments use them in place of public addresses.
"""


METADATA: Final = ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
"""Addresses of the metadata services of AWS, Azure, Google Cloud and Alibaba Cloud."""


def not_public(version: int) -> tuple[str, ...]:
    """The networks of IPv4 (4) or IPv6 (6) that are not public, in order, without networks inside other ones."""
    blocks = {4: IPV4, 6: IPV6}[version]
    listed = [each.cidr for each in blocks if not each.globally_reachable and each.cidr not in NOT_EXCLUDED]
    networks = [ip_network(cidr) for cidr in (*listed, *ALSO_EXCLUDED)]
    return tuple(map(str, _outermost([each for each in networks if each.version == version])))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is in none of the networks that are not public."""
    return not any(address in ip_network(cidr) for cidr in not_public(address.version))


def is_public_network(cidr: str) -> bool:
    """Whether a network contains public addresses only."""
    network = ip_network(cidr)
    return not any(network.overlaps(ip_network(each)) for each in not_public(network.version))


def metadata_address(cidr: str) -> str | None:
    """The first metadata address in a network; None if there is none."""
    network = ip_network(cidr)
    return next((address for address in METADATA if ip_address(address) in network), None)


def _outermost(networks: list[IpNetwork]) -> Iterator[IpNetwork]:
    """The networks that no other one contains."""
    last: IpNetwork | None = None
    for each in sorted(networks, key=lambda each: (int(each.network_address), each.prefixlen)):
        if last is None or int(each.network_address) > int(last.broadcast_address):
            yield each
            last = each
