"""Address blocks of both families, some of them with exceptions, and addresses in and beside them."""

from ipaddress import ip_network
from typing import Final

from tests.audit.drawing.draw import Draw
from tests.audit.reference import Object

POD_CIDRS: Final = {"IPv4": "10.244.0.0/16", "IPv6": "fd00:1::/64"}
OUTSIDE: Final = ["203.0.113.7", "203.0.113.200", "192.0.2.1", "2001:db8::1", "2001:db8:1::1", "2001:db9::1"]
BLOCKS: Final = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.244.0.0/16",
    "10.244.0.0/17",
    "10.244.128.0/17",
    "10.244.1.0/24",
    "10.244.1.1/32",
    "203.0.0.0/16",
    "203.0.113.0/24",
    "203.0.113.128/25",
    "203.0.113.200/32",
    "::/0",
    "fd00::/8",
    "fd00:1::/64",
    "fd00:1::/120",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1::1/128",
]


def draw_block(draw: Draw) -> Object:
    """An IPBlock; what it excepts lies within it, as the API server demands."""
    cidr = draw.one(BLOCKS)
    inside = [each for each in BLOCKS if each != cidr and _within(each, cidr)]
    excepted = draw.some(inside, 0, 2)
    return {"cidr": cidr} | ({"except": excepted} if excepted or draw.chance(5) else {})


def _within(inner: str, outer: str) -> bool:
    one, other = ip_network(inner), ip_network(outer)
    return one.version == other.version and one.overlaps(other) and one.prefixlen > other.prefixlen
