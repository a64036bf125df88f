"""Ports, addresses, places and counts in words."""

import ipaddress
from collections.abc import Sequence
from typing import Protocol

from audit.model.addresses import Addresses
from audit.model.policies import Ports

_LAST_PORT = 65535
_SHOWN = 12
_FAMILIES = {4: "0.0.0.0/0", 6: "::/0"}


def ports(ranges: Sequence[Ports], asked: tuple[str, int] | None = None) -> list[str]:
    """Port ranges, as in ["TCP 80", "UDP"]; one entry for all, and only the port that was asked for."""
    if asked is not None:
        return [f"{asked[0]} {asked[1]}"]
    whole = [each.protocol for each in ranges if (each.low, each.high) == (1, _LAST_PORT)]
    if len(whole) == len(ranges) == 3:  # noqa: PLR2004 - the protocols
        return ["all ports"]
    return [port(each) for each in ranges]


def port(given: Ports) -> str:
    """A range, as in TCP 80-90."""
    if (given.low, given.high) == (1, _LAST_PORT):
        return f"{given.protocol} all ports"
    return f"{given.protocol} {given.low}" + (f"-{given.high}" if given.high != given.low else "")


def addresses(given: Addresses) -> str:
    """Addresses, by what they are or by what they leave out, whichever is shorter."""
    if not ~given:
        return "all addresses"
    parts = [part for version in _FAMILIES if (part := _family(given, version))]
    return "addresses " + "; ".join(parts)


def _family(given: Addresses, version: int) -> str:
    whole = Addresses.of(ipaddress.ip_network(_FAMILIES[version]))
    part = given & whole
    if not part:
        return ""
    included, excluded = part.cidrs(), (whole & ~part).cidrs()
    if len(excluded) < len(included) or not excluded:
        return f"{_FAMILIES[version]} except {_listed(excluded)}" if excluded else _FAMILIES[version]
    return _listed(included)


def _listed(cidrs: Sequence[str]) -> str:
    more = f" and {len(cidrs) - _SHOWN} more" if len(cidrs) > _SHOWN else ""
    return ", ".join(cidrs[:_SHOWN]) + more


def network(text: str) -> Addresses | None:
    """An address or a CIDR, or None where a text is neither."""
    try:
        return Addresses.of(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None


def count(number: int, noun: str) -> str:
    """A number with its noun, as in "2 workloads"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


class Placed(Protocol):
    """What has a file and a line."""

    @property
    def file(self) -> str:
        """Its file, or empty."""

    @property
    def line(self) -> int:
        """Its line, from 1; 0 for an object of a cluster."""


def place(given: Placed) -> str:
    """File and line; objects of a cluster have no line."""
    return f"{given.file}:{given.line}" if given.line else given.file


def cut(label: str, most: int) -> str:
    """A label of at most some letters: a longer one without its middle."""
    half = most // 2
    return label if len(label) <= most else f"{label[: half - 1]}..{label[1 - half :]}"
