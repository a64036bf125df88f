"""Sets of IPv4 and IPv6 addresses, as sorted ranges."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_V6: Final = 1 << 32
"""IPv6 addresses are numbered from here; IPv4 addresses come below."""
_END: Final = _V6 + (1 << 128)


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of addresses of both families, with the operators of Python's integers as bit sets: `|`, `&` and `~`.

    Attributes:
        ranges: Half-open ranges, sorted, disjoint and not adjacent, in one numbering of both families.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, network: Network) -> "Addresses":
        """The addresses of a CIDR."""
        start = number(network.network_address)
        return cls(((start, start + network.num_addresses),))

    @classmethod
    def all(cls) -> "Addresses":
        """Every address of both families."""
        return cls(((0, _V6), (_V6, _END)))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, address: Address) -> bool:
        wanted = number(address)
        return any(start <= wanted < end for start, end in self.ranges)

    def __or__(self, other: "Addresses") -> "Addresses":
        return Addresses(tuple(_merged(sorted([*self.ranges, *other.ranges]))))

    def __and__(self, other: "Addresses") -> "Addresses":
        return Addresses(tuple(_common(self.ranges, other.ranges)))

    def __invert__(self) -> "Addresses":
        gaps: list[tuple[int, int]] = []
        for low, high in ((0, _V6), (_V6, _END)):
            position = low
            for start, end in self.ranges:
                if end <= low or start >= high:
                    continue
                if start > position:
                    gaps.append((position, start))
                position = end
            if position < high:
                gaps.append((position, high))
        return Addresses(tuple(gaps))

    def cidrs(self) -> list[str]:
        """The smallest list of CIDRs that is this set."""
        found: list[str] = []
        for start, end in self.ranges:
            if start < _V6:
                found += map(str, ipaddress.summarize_address_range(_v4(start), _v4(end - 1)))
            else:
                found += map(str, ipaddress.summarize_address_range(_v6(start), _v6(end - 1)))
        return found


NOWHERE: Final = Addresses()
"""The empty set."""


def single(address: Address) -> Addresses:
    """The set of one address."""
    start = number(address)
    return Addresses(((start, start + 1),))


def number(address: Address) -> int:
    """An address in the numbering of both families."""
    return int(address) + (_V6 if address.version == 6 else 0)  # noqa: PLR2004 - the IP version


def _v4(value: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(value)


def _v6(value: int) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(value - _V6)


def _merged(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    low, high = -1, -1
    for start, end in ranges:
        if start < high or (start == high != _V6):
            high = max(high, end)
            continue
        if low >= 0:
            yield low, high
        low, high = start, end
    if low >= 0:
        yield low, high


def _common(left: tuple[tuple[int, int], ...], right: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    first, second = 0, 0
    while first < len(left) and second < len(right):
        start = max(left[first][0], right[second][0])
        end = min(left[first][1], right[second][1])
        if start < end:
            yield start, end
        if left[first][1] < right[second][1]:
            first += 1
        else:
            second += 1
