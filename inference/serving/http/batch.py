"""Short requests that are received in one turn of the event loop, answered together if that is faster for the model."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from inference.serving.problems import Answer
from inference.serving.service import Service

if TYPE_CHECKING:
    from inference.serving.endpoints.endpoint import Endpoint
    from inference.serving.http.exchange import Exchange

Deliver = Callable[["Exchange", Answer], None]


class Batch:
    """Collects the requests of a turn, and answers them at its end: no request waits for others to arrive.

    Args:
        service: What answers them.
    """

    def __init__(self, service: Service) -> None:
        self._service: Final = service
        self._waiting: list[tuple[Exchange, Deliver]] = []

    def add(self, exchange: "Exchange", deliver: Deliver) -> None:
        """Answer a request at the end of the turn, by `deliver`, which must not raise."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        self._waiting.append((exchange, deliver))

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        members: dict[Endpoint[Any], list[tuple[Exchange, Deliver]]] = {}
        for exchange, deliver in waiting:
            exchange.count_wait()
            assert exchange.endpoint is not None  # noqa: S101 - only such requests are added
            members.setdefault(exchange.endpoint, []).append((exchange, deliver))
        for endpoint, left in members.items():
            while left:
                answers = self._service.answer_together(endpoint, [exchange.short for exchange, _ in left])
                for (exchange, deliver), answer in zip(left, answers, strict=False):
                    deliver(exchange, answer)
                left = left[len(answers) :]  # noqa: PLW2901 - what the model left out is next
