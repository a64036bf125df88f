"""The service: its model, limits, metrics and routes, without a web framework or a socket."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import structlog

from inference.errors import BadRequestError, NotReadyError
from inference.model.interface import LoadedModel
from inference.serving import compression, problems
from inference.serving.callers.callers import Caller, Callers
from inference.serving.endpoints.endpoint import NOT_LOADED, Endpoint
from inference.serving.endpoints.runtimes import endpoint_types
from inference.serving.limits import Admission
from inference.serving.metrics import Metrics
from inference.serving.problems import Answer
from inference.serving.protocol.binary import HEADER
from inference.serving.routing import Routes
from inference.settings import Settings

_log = structlog.get_logger()


class Short(NamedTuple):
    """A short request: its body, which is JSON, its path and its caller."""

    body: bytes
    path: str
    caller: Caller


class Service:
    """What all requests share. Only the event loop's thread uses it.

    Attributes:
        settings: The settings of the process.
        admission: Counts the requests in flight and the bytes that are held.
        callers: Decides who calls, and counts what each caller does.
        metrics: What /metrics shows.
        model: The loaded model; None before it is loaded.
        thread: Answers long bodies, one at a time.
        routes: Finds the route of a request.
        answered: Requests answered so far.
        failure: Why the model cannot be loaded; None unless loading failed.
        on_failure: Called when loading has failed.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Final = settings
        self.admission: Final = Admission(settings)
        self.callers: Final = Callers(settings)
        self.metrics: Final = Metrics(self.admission, self.callers.keys, self.callers)
        self.model: LoadedModel | None = None
        # More threads would only take turns: a thread that decodes a body holds the interpreter's lock.
        self.thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer")
        predict, infer = endpoint_types(settings.runtime)
        self.predict_endpoint: Final = predict(settings, self.metrics, self.admission, self.thread)
        self.infer_endpoint: Final = infer(settings, self.metrics, self.admission, self.thread)
        self.routes: Final = Routes(self.predict_endpoint)
        self.answered = 0
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None

    def add_model(self, model: LoadedModel) -> None:
        """Answer with `model` from now on."""
        self.metrics.add_model(model)
        for endpoint in (self.predict_endpoint, self.infer_endpoint):
            endpoint.use(model)
        self.routes.add_infer(model.name, model.version, self.infer_endpoint)
        self.model = model
        self.admission.loaded = True

    def loaded_model(self) -> LoadedModel:
        """Return the model.

        Raises:
            NotReadyError: It is not loaded yet.
        """
        if self.model is None:
            raise NotReadyError(NOT_LOADED)
        return self.model

    @property
    def why_not_ready(self) -> str:
        """Why the readiness probe does not answer 200; empty if it does."""
        if self.admission.ready:
            return ""
        return "the service is shutting down" if self.admission.draining else NOT_LOADED

    def fail(self, error: BaseException) -> None:
        """Report that the model cannot be loaded."""
        self.failure = error
        self.on_failure()

    def answer_now(self, endpoint: Endpoint[Any], body: bytes, path: str, caller: Caller) -> Answer:
        """Answer a short body that is JSON."""
        try:
            return endpoint.answer(body, caller)
        except Exception as error:  # noqa: BLE001 - whatever the input, the client gets an answer
            return problems.failed(error, path)

    def answer_together(self, endpoint: Endpoint[Any], requests: Sequence[Short]) -> list[Answer]:
        """Answer short requests; the last ones may be left out, and are then the first of the next call."""
        if len(requests) == 1:
            return [self.answer_now(endpoint, *requests[0])]
        try:
            found = endpoint.answer_together([(each.body, each.caller) for each in requests])
        except Exception as error:  # noqa: BLE001 - whatever the input, each client gets an answer
            found = [error] * len(requests)
        return [
            problems.failed(each, request.path) if isinstance(each, Exception) else each
            for each, request in zip(found, requests, strict=False)
        ]

    async def answer(
        self, endpoint: Endpoint[Any], headers: Sequence[tuple[bytes, bytes]], body: bytes, path: str, caller: Caller
    ) -> Answer:
        """Answer any body; a long one in the thread."""
        try:
            json_bytes, is_compressed = _check_headers(headers)
            if json_bytes is None and not is_compressed and len(body) <= endpoint.offload_bytes:
                return self.answer_now(endpoint, body, path, caller)
            return await endpoint.answer_later(body, caller, json_bytes, is_compressed=is_compressed)
        except Exception as error:  # noqa: BLE001 - whatever the input, the client gets an answer
            return problems.failed(error, path)

    def record(self, route: str, status: int, seconds: float) -> None:
        """Count an answer, and log it if the access log is on."""
        self.metrics.add_answer(route, status, seconds)
        if self.settings.access_log:
            _log.info("answered", route=route, status=status, seconds=round(seconds, 6))

    def close(self) -> None:
        """Start no more work in the thread."""
        self.thread.shutdown(wait=False, cancel_futures=True)


def _check_headers(headers: Sequence[tuple[bytes, bytes]]) -> tuple[int | None, bool]:
    """Return the size of the JSON in the body if the headers specify it, and whether the body is compressed.

    Raises:
        RequestError: The body is compressed with a coding other than gzip, or the size is not a number.
    """
    json_bytes, is_compressed = None, False
    for name, value in headers:
        if name == b"content-encoding":
            is_compressed = compression.is_gzip(value, is_compressed=is_compressed)
        if name == HEADER:
            if not value.isdigit():
                raise BadRequestError(f"header {name.decode()} must be a number of bytes")
            json_bytes = int(value[:20])
    return json_bytes, is_compressed
