"""The service itself: its model, limits, metrics and routes, without a web framework or a socket."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from inference.errors import BadRequestError
from inference.model.classifier import TextClassifier
from inference.serving import problems
from inference.serving.endpoints import Endpoint, InferEndpoint, PredictEndpoint
from inference.serving.limits import Admission
from inference.serving.metrics import Metrics
from inference.serving.problems import Answer
from inference.serving.protocol import BINARY_HEADER
from inference.serving.routing import Routes
from inference.settings import Settings

_log = structlog.get_logger()


class Service:
    """What all requests share. Belongs to the event loop's thread.

    Attributes:
        settings: What it was made with.
        admission: What is held and in flight.
        metrics: What is measured.
        model: The loaded model, if there is one yet.
        thread: Where long bodies are answered, one after the other.
        routes: Who answers what.
        answered: Requests answered so far.
        failure: Why no model can be loaded, if so.
        on_failure: Called when that is known.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Final = settings
        self.admission: Final = Admission(settings)
        self.metrics: Final = Metrics(self.admission)
        self.model: TextClassifier | None = None
        # One thread: more would only take turns, since a thread that decodes a body holds the interpreter.
        self.thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer")
        self.predict_endpoint: Final = PredictEndpoint(settings, self.metrics, self.admission, self.thread)
        self.infer_endpoint: Final = InferEndpoint(settings, self.metrics, self.admission, self.thread)
        self.routes: Final = Routes(self.predict_endpoint)
        self.answered = 0
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None

    def add_model(self, model: TextClassifier) -> None:
        """Answer with `model` from now on."""
        self.metrics.add_model(model)
        for endpoint in (self.predict_endpoint, self.infer_endpoint):
            endpoint.model = model
        self.routes.add_infer(model.name, model.version, self.infer_endpoint)
        self.model = model
        self.admission.loaded = True

    def fail(self, error: BaseException) -> None:
        """Report that no model can be loaded."""
        self.failure = error
        self.on_failure()

    def answer_now(self, endpoint: Endpoint, body: bytes, path: str) -> Answer:
        """What `endpoint` answers to a short body of JSON."""
        try:
            return endpoint.answer(body)
        except Exception as error:  # noqa: BLE001 - no input may end in a stack trace
            return problems.failed(error, path)

    async def answer(
        self, endpoint: Endpoint, headers: Sequence[tuple[bytes, bytes]], body: bytes, path: str
    ) -> Answer:
        """What `endpoint` answers to any body; a long one is answered in the thread."""
        try:
            json_bytes = _check_headers(headers)
            if json_bytes is None and len(body) <= self.settings.offload_bytes:
                return self.answer_now(endpoint, body, path)
            return await endpoint.answer_later(body, json_bytes)
        except Exception as error:  # noqa: BLE001 - no input may end in a stack trace
            return problems.failed(error, path)

    def record(self, route: str, status: int, seconds: float) -> None:
        """Measure an answer, and log it where the access log is on."""
        self.metrics.add_answer(route, status, seconds)
        if self.settings.access_log:
            _log.info("answered", route=route, status=status, seconds=round(seconds, 6))

    def close(self) -> None:
        """Start no further work in the thread."""
        self.thread.shutdown(wait=False, cancel_futures=True)


def _check_headers(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """How many bytes of the body are JSON, if the client says so.

    Raises:
        RequestError: The body is compressed, or the number is malformed.
    """
    json_bytes = None
    for name, value in headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise problems.encoded(value)
        if name == BINARY_HEADER:
            if not value.isdigit():
                raise BadRequestError(f"header {name.decode()} must be a number of bytes")
            json_bytes = int(value[:20])
    return json_bytes
