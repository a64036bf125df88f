"""The two routes that predict, from a body's bytes to an answer's bytes: below FastAPI, which only documents them.

`answer` does it at once and belongs to short bodies; `answer_later` does it in a thread and leaves the event loop to
the others. Both are the same three steps: `_parse` (reads and checks), `_work` (scores and writes), and the metrics,
which alone belong to the loop's thread.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Final

import msgspec

from inference.errors import BadRequestError, InvalidInputError, NotReadyError
from inference.model.classifier import Prediction, TextClassifier
from inference.serving import protocol
from inference.serving.bounds import value_counter
from inference.serving.limits import Admission
from inference.serving.metrics import INFER, PARSE, PREDICT, QUEUE, SCORE, Metrics
from inference.serving.problems import JSON, OCTET_STREAM, Answer
from inference.serving.schemas import BatchResponse, PredictRequest, PredictResponse, TermPush
from inference.settings import Settings

_encode = msgspec.json.Encoder().encode
_count_values = value_counter()
_MAX_MESSAGE: Final = 300
"""Characters of a decoder's message that are repeated: it quotes the request."""
NOT_LOADED: Final = "no model is loaded yet; try again in a moment"
_Answered = tuple[Answer, Sequence[str], Sequence[Prediction], float, float, float]
"""The answer, what is counted of it, and when reading began, scoring began and all was done."""


class Endpoint(ABC):
    """A route that predicts.

    Args:
        settings: The limits.
        metrics: Where phases and texts are counted.
        admission: Where the cost of a request is counted.
        thread: Where long bodies are answered.
    """

    route: str
    """One of the contract's ROUTES."""
    request_type: Any
    invalid: type[InvalidInputError] | type[BadRequestError]
    """What well-formed JSON of the wrong shape is on this route."""

    def __init__(self, settings: Settings, metrics: Metrics, admission: Admission, thread: Executor) -> None:
        self.model: TextClassifier | None = None
        self._settings = settings
        self._max_characters = settings.max_text_characters
        self._max_values = (
            4 * settings.max_texts + 1_000
        )  # a text takes two at most; the rest is the request around them
        self._admission = admission
        self._queue_seconds = metrics.phases[QUEUE]
        self._parse_seconds = metrics.phases[PARSE]
        self._score_seconds = metrics.phases[SCORE]
        self._metrics = metrics
        self._decode = msgspec.json.Decoder(self.request_type).decode
        self._thread = thread

    def answer(self, body: bytes) -> Answer:
        """The answer to a request's JSON.

        Raises:
            RequestError: the body is not what the route takes, or there is no model yet.
        """
        answered = self._answer(self._loaded(), body)
        self._count(answered)
        return answered[0]

    async def answer_later(self, body: bytes, json_bytes: int | None = None) -> Answer:
        """The same in a thread, when those before it are done.

        Args:
            body: The request's.
            json_bytes: How many bytes of it are JSON; the others are the protocol's binary tensors. Absent: all.

        Raises:
            RequestError: as `answer`.
        """
        model = self._loaded()
        received = perf_counter()
        answered = await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, model, body, json_bytes)
        began = answered[3]
        self._queue_seconds.add(began - received)
        self._count(answered)
        return answered[0]

    @abstractmethod
    def _texts(self, request: Any) -> list[str]:
        """The texts of a request."""

    def _read_binary(self, _request: Any, _raw: bytes) -> None:
        """Take what follows the JSON into the request."""
        raise BadRequestError("this route takes JSON only")

    @abstractmethod
    def _work(self, model: TextClassifier, request: Any, texts: list[str]) -> tuple[Answer, Sequence[Prediction]]:
        """Score, and write the answer."""

    def _answer(self, model: TextClassifier, body: bytes, json_bytes: int | None = None) -> _Answered:
        """Read, check, score and write; touches nothing that the loop's thread changes."""
        began = perf_counter()
        request, texts = self._parse(body, json_bytes)
        parsed = perf_counter()
        answer, predictions = self._work(model, request, texts)
        return answer, texts, predictions, began, parsed, perf_counter()

    def _loaded(self) -> TextClassifier:
        if self.model is None:
            raise NotReadyError(NOT_LOADED)
        return self.model

    def _parse(self, body: bytes, json_bytes: int | None = None) -> tuple[Any, list[str]]:
        document = body if json_bytes is None else body[:json_bytes]
        if len(body) > self._settings.offload_bytes and (values := _count_values(document)) > self._max_values:
            raise self.invalid(f"the body has {values} JSON values; a request has at most {self._max_values}")
        try:
            request = self._decode(document)
        except msgspec.ValidationError as error:
            raise self.invalid(str(error)[:_MAX_MESSAGE]) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequestError(f"the body is not JSON: {error}") from error
        except RecursionError as error:
            raise BadRequestError("the body is nested too deep") from error
        if json_bytes is not None:
            self._read_binary(request, body[json_bytes:])
        texts = self._texts(request)
        if len(texts) > self._settings.max_texts:
            raise self.invalid(f"{len(texts)} texts; a request has at most {self._settings.max_texts}")
        for index, text in enumerate(texts):
            if len(text) > self._max_characters:
                raise self.invalid(
                    f"text {index} has {len(text)} characters; a text has at most {self._max_characters}"
                )
        return request, texts

    def _count(self, answered: _Answered) -> None:
        _, texts, predictions, began, parsed, ended = answered
        self._parse_seconds.add(parsed - began)
        self._score_seconds.add(ended - parsed)
        self._admission.add_cost(ended - began)
        counted = self._metrics.texts
        if counted is not None:
            for text, prediction in zip(texts, predictions, strict=True):
                counted.add(prediction, len(text))


class PredictEndpoint(Endpoint):
    """POST /predict."""

    route = PREDICT
    request_type = PredictRequest
    invalid = InvalidInputError

    def _texts(self, request: PredictRequest) -> list[str]:
        text = request.text
        texts = [text] if isinstance(text, str) else text
        if request.explain:
            characters, most = sum(map(len, texts)), self._settings.max_explained_characters
            if characters > most:
                raise InvalidInputError(f"{characters} characters to explain; a request has at most {most}")
        return texts

    def _work(
        self, model: TextClassifier, request: PredictRequest, texts: list[str]
    ) -> tuple[Answer, Sequence[Prediction]]:
        predictions = [model.predict(text) for text in texts]
        if request.explain:
            limit = max(self._settings.max_explained_terms // len(texts), 1)
            answers = [
                PredictResponse(found[0], found[1], [TermPush(*push) for push in model.explain(text, limit)])
                for text, found in zip(texts, predictions, strict=True)
            ]
        else:
            answers = [PredictResponse(found[0], found[1]) for found in predictions]
        content = _encode(answers[0] if isinstance(request.text, str) else BatchResponse(answers))
        return Answer(200, JSON, content), predictions


class InferEndpoint(Endpoint):
    """POST /v2/models/{model}/infer."""

    route = INFER
    request_type = protocol.InferRequest
    invalid = BadRequestError

    def _read_binary(self, request: protocol.InferRequest, raw: bytes) -> None:
        protocol.read_binary(request, raw, self._settings.max_texts)

    def _texts(self, request: protocol.InferRequest) -> list[str]:
        protocol.wanted_outputs(request)
        return protocol.texts_of(request, self._settings.max_texts)

    def _work(
        self, model: TextClassifier, request: protocol.InferRequest, texts: list[str]
    ) -> tuple[Answer, Sequence[Prediction]]:
        predictions = [model.predict(text) for text in texts]
        response, tensors = protocol.response(request, model, predictions)
        content = _encode(response)
        if tensors is None:
            return Answer(200, JSON, content), predictions
        headers = ((protocol.BINARY_HEADER.decode(), str(len(content))),)
        return Answer(200, OCTET_STREAM, content + tensors, headers), predictions
