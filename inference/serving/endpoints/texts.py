"""The endpoints of a model that classifies texts: `POST /predict` and the protocol's `infer`."""

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import msgspec

from inference.errors import BadRequestError, InvalidInputError
from inference.model.interface import Prediction, TextModel
from inference.serving.endpoints.endpoint import Endpoint
from inference.serving.limits import Admission
from inference.serving.metrics import INFER, PREDICT, Metrics
from inference.serving.problems import JSON, OCTET_STREAM, Answer
from inference.serving.protocol.binary import HEADER
from inference.serving.protocol.messages import InferRequest
from inference.serving.protocol.texts import infer_response, read_binary_texts, request_texts, requested_outputs
from inference.serving.schemas import BatchResponse, PredictRequest, PredictResponse, TermWeight
from inference.settings import Settings

_encode = msgspec.json.Encoder().encode


class TextEndpoint(Endpoint[TextModel]):
    """An endpoint whose inputs are texts."""

    def __init__(self, settings: Settings, metrics: Metrics, admission: Admission, thread: Executor) -> None:
        # A text is at most two JSON values; the other thousand are for the rest of the request.
        super().__init__(settings, metrics, admission, thread, max_values=4 * settings.max_texts + 1_000)

    @abstractmethod
    def _texts(self, request: Any) -> list[str]:
        """Return the texts of a decoded request."""

    def _inputs(self, request: Any) -> list[str]:
        texts = self._texts(request)
        if len(texts) > self._settings.max_texts:
            raise self.invalid(f"{len(texts)} texts; a request has at most {self._settings.max_texts}")
        max_characters = self._settings.max_text_characters
        for index, text in enumerate(texts):
            if len(text) > max_characters:
                raise self.invalid(f"text {index} has {len(text)} characters; a text has at most {max_characters}")
        return texts

    def _count_predictions(self, inputs: Sequence[str], predictions: Sequence[Prediction]) -> None:
        metrics = self._metrics.texts
        if metrics is not None:
            for text, prediction in zip(inputs, predictions, strict=True):
                metrics.add(prediction, len(text))


class PredictEndpoint(TextEndpoint):
    """POST /predict."""

    route = PREDICT
    request_type = PredictRequest
    invalid = InvalidInputError

    def _texts(self, request: PredictRequest) -> list[str]:
        text = request.text
        texts = [text] if isinstance(text, str) else text
        if request.explain:
            characters, limit = sum(map(len, texts)), self._settings.max_explained_characters
            if characters > limit:
                raise InvalidInputError(f"{characters} characters to explain; a request has at most {limit}")
        return texts

    def _score(
        self, model: TextModel, request: PredictRequest, inputs: list[str]
    ) -> tuple[Answer, Sequence[Prediction]]:
        predictions = [model.predict(text) for text in inputs]
        if request.explain or request.probabilities:
            limit = max(self._settings.max_explained_terms // len(inputs), 1)
            answers = [
                _detailed(model, request, text, found, limit) for text, found in zip(inputs, predictions, strict=True)
            ]
        else:
            answers = [PredictResponse(found[0], found[1]) for found in predictions]
        content = _encode(answers[0] if isinstance(request.text, str) else BatchResponse(answers))
        return Answer(200, JSON, content), predictions


def _detailed(model: TextModel, request: PredictRequest, text: str, found: Prediction, limit: int) -> PredictResponse:
    """Return the answer to one text with the details that the request asks for."""
    answer = PredictResponse(found.label, found.confidence, known_words=found.words - found.unknown_words)
    if request.explain:
        answer.explanation = [TermWeight(*term) for term in model.explain(text, limit)]
    if request.probabilities:
        answer.probabilities = dict(zip(model.labels, found.probabilities, strict=True))
    return answer


class InferEndpoint(TextEndpoint):
    """POST /v2/models/{model}/infer."""

    route = INFER
    request_type = InferRequest
    invalid = BadRequestError

    def _read_binary(self, request: InferRequest, raw: bytes) -> None:
        read_binary_texts(request, raw, self._settings.max_texts)

    def _texts(self, request: InferRequest) -> list[str]:
        requested_outputs(request)  # refuses an output that does not exist before anything is scored
        return request_texts(request, self._settings.max_texts)

    def _score(self, model: TextModel, request: InferRequest, inputs: list[str]) -> tuple[Answer, Sequence[Prediction]]:
        predictions = [model.predict(text) for text in inputs]
        response, tensors = infer_response(request, model, predictions)
        content = _encode(response)
        if tensors is None:
            return Answer(200, JSON, content), predictions
        return Answer(200, OCTET_STREAM, content + tensors, ((HEADER.decode(), str(len(content))),)), predictions
