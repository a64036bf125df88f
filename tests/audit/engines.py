"""The engines that a proof asks, behind one question."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from tests.audit.reference import Assumptions, Object, Reference, Verdict


class Engine(Protocol):
    """Anything that says whether a connection is let through."""

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """As `Reference.verdict`."""


ENGINES: Final[dict[str, Callable[[Iterable[Object], Assumptions], Engine]]] = {"reference": Reference}
