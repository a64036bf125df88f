"""The service as a FastAPI application whose predicting routes are answered before FastAPI's own machinery."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from inference import __version__, contract
from inference.errors import (
    BadRequestError,
    InferenceError,
    PayloadTooLargeError,
    RequestError,
    UnsupportedMediaTypeError,
)
from inference.model.classifier import TextClassifier
from inference.serving import openapi, problems
from inference.serving.endpoints import Endpoint, InferEndpoint, PredictEndpoint
from inference.serving.limits import Admission
from inference.serving.logs import where
from inference.serving.metrics import OTHER, Metrics
from inference.serving.problems import Answer, InternalError
from inference.serving.protocol import BINARY_HEADER
from inference.settings import Settings
from inference.store.loading import load_model

_log = structlog.get_logger()
BEGAN: Final = "tenantry.began"
"""Key of the ASGI scope under which `inference.serving.connection` says when a request's first byte came."""


class InferenceApp(FastAPI):
    """FastAPI, with POST /predict and the protocol's infer answered below it.

    Attributes:
        settings: What it was made with.
        admission: What is in flight; kept by the server that runs the application.
        metrics: What is measured.
        model: The loaded model, if there is one yet.
        thread: Where long bodies are answered, one after the other.
        endpoints: The routes that predict, by path.
        endpoints_by_target: The same by the request's target as HTTP has it, in bytes.
        failure: Why there will never be a model, if so.
        on_failure: Called when that is known.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Final = settings
        self.admission: Final = Admission(settings)
        self.metrics: Final = Metrics(self.admission)
        self.model: TextClassifier | None = None
        # One for all: more would only take turns. While a body is read its thread holds the interpreter, and one such
        # body is the longest that the event loop ever waits for it.
        self.thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer")
        self.predict_endpoint: Final = PredictEndpoint(settings, self.metrics, self.admission, self.thread)
        self.infer_endpoint: Final = InferEndpoint(settings, self.metrics, self.admission, self.thread)
        self.endpoints: Final[dict[str, Endpoint]] = {contract.PREDICT_PATH: self.predict_endpoint}
        self.endpoints_by_target: Final[dict[bytes, Endpoint]] = {contract.PREDICT_PATH.encode(): self.predict_endpoint}
        self.failure: InferenceError | None = None
        self.on_failure: Callable[[], None] = lambda: None
        super().__init__(
            title="Tenantry inference service",
            summary="Classifies texts with one tenant's model.",
            version=__version__,
            openapi_tags=openapi.TAGS,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            lifespan=_lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see ASGI."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        began = scope.get(BEGAN) or perf_counter()
        endpoint = self.endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        if endpoint is not None:
            answer = await self.answer(endpoint, scope, receive)
            await send_answer(answer, send)
            self.record(endpoint.route, answer.status, perf_counter() - began)
            return
        status = await self._delegate(scope, receive, send)
        self.record(OTHER, status, perf_counter() - began)

    async def answer(self, endpoint: Endpoint, scope: Scope, receive: Receive) -> Answer:
        """What `endpoint` says to a request."""
        try:
            json_bytes = _check_headers(scope)
            body = await self._body(receive)
            if json_bytes is None and len(body) <= self.settings.offload_bytes:
                return Answer(200, problems.JSON, endpoint.answer(body))
            return Answer(200, problems.JSON, await endpoint.answer_later(body, json_bytes))
        except Exception as error:  # noqa: BLE001 - nothing that a client sends may end in a stack trace
            return failed(error, scope["path"])

    def record(self, route: str, status: int, seconds: float) -> None:
        """Measure an answer, and log it where the access log is on."""
        self.metrics.add_answer(route, status, seconds)
        if self.settings.access_log:
            _log.info("answered", route=route, status=status, seconds=round(seconds, 6))

    def add_model(self, model: TextClassifier) -> None:
        """Answer with `model` from now on."""
        self.metrics.add_model(model)
        for endpoint in (self.predict_endpoint, self.infer_endpoint):
            endpoint.model = model
        root = f"{contract.PROTOCOL_PATH}/models/{model.name}"
        for path in (f"{root}/infer", f"{root}/versions/{model.version}/infer"):
            self.endpoints[path] = self.endpoints_by_target[quote(path).encode()] = self.infer_endpoint
        self.model = model
        self.admission.loaded = True

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if not self.openapi_schema:
            document = super().openapi()
            document["components"] = {"schemas": openapi.components(self.settings)}
        return self.openapi_schema or {}

    async def _body(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.settings.max_body_bytes:
                raise too_large(self.settings)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _delegate(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Let FastAPI answer; give back the status."""
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await super().__call__(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - Starlette has answered 500 and raises what it was for
            failed(error, scope["path"])
        return status or InternalError.status


def create_app(settings: Settings) -> InferenceApp:
    """Make the application; it loads its model when its lifespan starts, and is not ready before."""
    from inference.serving.routes import add_routes  # noqa: PLC0415 - routes know the application's class

    app = InferenceApp(settings)
    add_routes(app)
    return app


def failed(error: Exception, path: str) -> Answer:
    """What a client is told of `error`; what is the service's own fault is logged."""
    if isinstance(error, RequestError):
        return problems.answer(error, path)
    _log.error("request failed", error=type(error).__name__, where=where(error))
    return problems.answer(InternalError(problems.FAILED), path)


def too_large(settings: Settings) -> RequestError:
    """The error of a body that is too long."""
    return PayloadTooLargeError(f"a body has at most {settings.max_body_bytes} bytes; send fewer or shorter texts")


def encoded(encoding: bytes) -> RequestError:
    """The error of a body that is compressed."""
    name = encoding[:50].decode("latin-1")
    return UnsupportedMediaTypeError(f"Content-Encoding '{name}' is not supported; send the body as it is")


def header_bytes(answer: Answer) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, as ASGI and HTTP/1.1 want them."""
    return [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer by ASGI."""
    await send({"type": "http.response.start", "status": answer.status, "headers": header_bytes(answer)})
    await send({"type": "http.response.body", "body": answer.body})


def _check_headers(scope: Scope) -> int | None:
    """How many bytes of the body are JSON, where the client says so.

    Raises:
        RequestError: the body is compressed, or that number is none.
    """
    json_bytes = None
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise encoded(value)
        if name == BINARY_HEADER:
            if not value.isdigit():
                raise BadRequestError(f"header {name.decode()} is no number of bytes")
            json_bytes = int(value[:20])
    return json_bytes


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model in the background, so that probes are answered meanwhile."""
    assert isinstance(app, InferenceApp)  # noqa: S101 - made by this module
    task = asyncio.create_task(_load(app))
    yield
    task.cancel()
    app.thread.shutdown(wait=False, cancel_futures=True)


async def _load(app: InferenceApp) -> None:
    try:
        app.add_model(await load_model(app.settings))
    except InferenceError as error:
        app.failure = error
        app.on_failure()
