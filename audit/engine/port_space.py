"""All ports of all protocols, cut into atoms at the boundaries that policies and containers use."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from audit.engine import bits
from audit.model.pods import PROTOCOLS
from audit.model.policies import NamedPort, Ports, Rule

_LAST: Final = 65535


class PortSpace:
    """Sets of ports as integers whose bits stand for atoms.

    Attributes:
        everything: The set of all ports.
    """

    def __init__(self, rules: Iterable[Rule], numbers: Iterable[tuple[str, int]]) -> None:
        starts: dict[str, set[int]] = {protocol: {1} for protocol in PROTOCOLS}
        for rule in rules:
            for match in rule.ports or ():
                if isinstance(match, Ports):
                    starts[match.protocol] |= {match.low, match.high + 1}
        for protocol, number in numbers:
            starts[protocol] |= {number, number + 1}
        self._starts = {
            protocol: sorted(start for start in found if start <= _LAST) for protocol, found in starts.items()
        }
        self._first: dict[str, int] = {}
        total = 0
        for protocol in PROTOCOLS:
            self._first[protocol] = total
            total += len(self._starts[protocol])
        self.everything = (1 << total) - 1
        self._masks: dict[Ports, int] = {}

    def mask(self, ports: Ports) -> int:
        """The set of a range whose ends are boundaries."""
        found = self._masks.get(ports)
        if found is None:
            starts, first = self._starts[ports.protocol], self._first[ports.protocol]
            low, high = bisect_left(starts, ports.low), bisect_right(starts, ports.high)
            found = self._masks[ports] = ((1 << (high - low)) - 1) << (first + low)
        return found

    def one(self, protocol: str, number: int) -> int:
        """The set of one port that is an atom, else of the atom around it."""
        starts = self._starts[protocol]
        return 1 << (self._first[protocol] + bisect_right(starts, number) - 1)

    def ranges(self, mask: int) -> list[Ports]:
        """A set as ranges, adjacent ones joined."""
        found: list[Ports] = []
        for protocol in PROTOCOLS:
            starts, first = self._starts[protocol], self._first[protocol]
            part = (mask >> first) & ((1 << len(starts)) - 1)
            for index in bits.members(part):
                end = starts[index + 1] - 1 if index + 1 < len(starts) else _LAST
                if found and found[-1].protocol == protocol and found[-1].high + 1 == starts[index]:
                    found[-1] = Ports(protocol, found[-1].low, end)
                else:
                    found.append(Ports(protocol, starts[index], end))
        return found


def named(rules: Iterable[Rule]) -> set[str]:
    """The port names that rules use."""
    return {match.name for rule in rules for match in rule.ports or () if isinstance(match, NamedPort)}
