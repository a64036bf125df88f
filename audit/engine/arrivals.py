"""Who reaches a class: the flows of all classes, turned round."""

from collections.abc import Iterator

from audit.engine import bits
from audit.engine.reach import Flow, Reach

_DENSE = 4
"""A flow to more than one in so many classes is kept once instead of under each of them."""


class Arrivals:
    """Flows by destination."""

    def __init__(self, reach: Reach, sources: int) -> None:
        together: dict[tuple[int, int, int], int] = {}
        for source in bits.members(sources):
            for flow in reach.flows(source):
                key = (flow.destinations, flow.allowed, flow.unknown)
                together[key] = together.get(key, 0) | 1 << source
        self._dense: list[tuple[int, Flow]] = []
        self._at: dict[int, list[Flow]] = {}
        most = len(reach.classes) // _DENSE
        for (destinations, allowed, unknown), found in together.items():
            flow = Flow(found, allowed, unknown)
            if destinations.bit_count() > most:
                self._dense.append((destinations, flow))
                continue
            for destination in bits.members(destinations):
                self._at.setdefault(destination, []).append(flow)

    def at(self, destination: int) -> Iterator[Flow]:
        """The classes that reach a class, alike; `destinations` of each flow holds the sources."""
        yield from self._at.get(destination, ())
        for destinations, flow in self._dense:
            if destinations >> destination & 1:
                yield flow
