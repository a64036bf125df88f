"""What all routes that predict have in common, whatever the runtime of the model."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from inference.errors import BadRequestError, InvalidInputError, NotReadyError
from inference.model.interface import LoadedModel
from inference.serving.bounds import value_counter
from inference.serving.callers.callers import Caller
from inference.serving.compression import decompress
from inference.serving.limits import Admission
from inference.serving.metrics import PARSE, QUEUE, SCORE, Metrics
from inference.serving.problems import Answer
from inference.settings import Settings

M = TypeVar("M", bound=LoadedModel)
NOT_LOADED: Final = "no model is loaded yet; try again in a moment"
_MAX_MESSAGE_CHARACTERS: Final = 300
"""A decoder's message quotes the request: the rest of it is left out."""
_count_values = value_counter()


class Answered(NamedTuple):
    """An answer, what is measured of it, and when its steps began, by `perf_counter`."""

    answer: Answer
    inputs: Any
    predictions: Any
    parse_began: float
    score_began: float
    ended: float


class Body(NamedTuple):
    """The body of a request, the size of its JSON unless all of it is JSON, and whether it is compressed with gzip."""

    content: bytes
    json_bytes: int | None = None
    is_compressed: bool = False


class Read(NamedTuple):
    """A decoded request, its inputs, and when reading it began and ended, by `perf_counter`."""

    request: Any
    inputs: Any
    began: float
    ended: float


class Endpoint(ABC, Generic[M]):
    """Answers one route with a model.

    `answer` and `answer_together` run on the event loop and are for short bodies. `answer_later` does the same work in
    a thread, so that other requests do not wait. All parse, score and then count; only the event loop's thread changes
    metrics.

    Args:
        settings: The limits.
        metrics: Counts phases and predictions.
        admission: Records the cost of a request.
        thread: Answers long bodies.
        max_values: JSON values that a body may have.
    """

    route: str
    """One of the contract's ROUTES."""
    request_type: Any
    """The msgspec type of the request's JSON."""
    invalid: type[InvalidInputError] | type[BadRequestError]
    """The error for well-formed JSON that does not match the route."""
    offload_bytes: int
    """A longer body is answered in the thread."""
    batched_bytes = -1
    """A longer body is not answered together with others; -1: none is, not even an empty one."""

    def __init__(
        self, settings: Settings, metrics: Metrics, admission: Admission, thread: Executor, max_values: int
    ) -> None:
        self.model: M | None = None
        self.offload_bytes = settings.offload_bytes
        self._settings: Final = settings
        self._metrics: Final = metrics
        self._admission: Final = admission
        self._thread: Final = thread
        self._max_values = max_values
        self._queue_seconds: Final = metrics.phases[QUEUE]
        self._parse_seconds: Final = metrics.phases[PARSE]
        self._score_seconds: Final = metrics.phases[SCORE]
        self._decode = msgspec.json.Decoder(self.request_type).decode

    def use(self, model: M) -> None:
        """Answer with `model` from now on."""
        self.model = model

    def answer(self, body: bytes, caller: Caller) -> Answer:
        """Answer a body that is JSON, and count its inputs for `caller`.

        Raises:
            RequestError: The body is not a valid request of this route, or no model is loaded.
        """
        answered = self._answer(self._loaded(), Body(body))
        self._count(answered, caller)
        return answered.answer

    def answer_together(self, requests: Sequence[tuple[bytes, Caller]]) -> list[Answer | Exception]:
        """Answer bodies that are JSON, each with its caller; the last ones may be left out."""
        answers: list[Answer | Exception] = []
        for body, caller in requests:
            try:
                answers.append(self.answer(body, caller))
            except Exception as error:  # noqa: BLE001 - the error of one request must not reach the others
                answers.append(error)
        return answers

    async def answer_later(
        self, body: bytes, caller: Caller, json_bytes: int | None = None, *, is_compressed: bool = False
    ) -> Answer:
        """Answer a body in the thread, after the bodies that already wait for it.

        Args:
            body: The body of the request.
            caller: Who has sent it.
            json_bytes: The size of its JSON; the protocol's binary tensors follow. Absent: all of it is JSON.
            is_compressed: Whether it is compressed with gzip.

        Raises:
            RequestError: As for `answer`.
        """
        model = self._loaded()
        received = perf_counter()
        answered = await self._answered_later(model, Body(body, json_bytes, is_compressed=is_compressed))
        self._queue_seconds.add(answered.parse_began - received)
        self._count(answered, caller)
        return answered.answer

    async def _answered_later(self, model: M, body: Body) -> Answered:
        """Answer a body in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, model, body)

    @abstractmethod
    def _inputs(self, request: Any) -> Any:
        """Return the inputs of a decoded request, within the limits."""

    def _read_binary(self, _request: Any, _raw: bytes) -> None:
        """Move what follows the JSON into the request."""
        raise BadRequestError("this route accepts JSON only")

    @abstractmethod
    def _score(self, model: M, request: Any, inputs: Any) -> tuple[Answer, Any]:
        """Return the answer and the predictions in it."""

    @abstractmethod
    def _count_predictions(self, inputs: Any, predictions: Any) -> None:
        """Add the predictions to the metrics."""

    def _answer(self, model: M, body: Body) -> Answered:
        """Parse and score. May run in the thread, so it changes nothing that the event loop's thread changes."""
        read = self._read(body)
        answer, predictions = self._score(model, read.request, read.inputs)
        return Answered(answer, read.inputs, predictions, read.began, read.ended, perf_counter())

    def _read(self, body: Body) -> Read:
        """Return the request in a body. May run in the thread, too."""
        began = perf_counter()
        content = decompress(body.content, self._settings) if body.is_compressed else body.content
        request = self._parse(content, body.json_bytes)
        return Read(request, self._inputs(request), began, perf_counter())

    def _loaded(self) -> M:
        if self.model is None:
            raise NotReadyError(NOT_LOADED)
        return self.model

    def _parse(self, body: bytes, json_bytes: int | None) -> Any:
        document = body if json_bytes is None else body[:json_bytes]
        if len(body) > self.offload_bytes and (values := _count_values(document)) > self._max_values:
            raise self.invalid(f"the body has {values} JSON values; a request has at most {self._max_values}")
        try:
            request = self._decode(document)
        except msgspec.ValidationError as error:
            raise self.invalid(str(error)[:_MAX_MESSAGE_CHARACTERS]) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequestError(f"the body is not JSON: {error}") from error
        except RecursionError as error:
            raise BadRequestError("the body is nested too deeply") from error
        if json_bytes is not None:
            self._read_binary(request, body[json_bytes:])
        return request

    def _size(self, inputs: Any) -> int:
        """Return the number of inputs: texts, or rows."""
        return len(inputs)

    def _count(self, answered: Answered, caller: Caller) -> None:
        _, inputs, predictions, parse_began, score_began, ended = answered
        self._parse_seconds.add(score_began - parse_began)
        self._score_seconds.add(ended - score_began)
        self._admission.add_cost(ended - parse_began)
        self._count_predictions(inputs, predictions)
        caller.add_answered(self._size(inputs), ended - parse_began)
