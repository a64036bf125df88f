"""The routes that FastAPI serves, and what the OpenAPI document says of those that are answered below it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from inference import contract
from inference.errors import (
    BadRequestError,
    InvalidInputError,
    NotFoundError,
    NotReadyError,
    OverloadedError,
    PayloadTooLargeError,
    RequestError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from inference.serving import openapi as document
from inference.serving import problems, protocol
from inference.serving.endpoints import NOT_LOADED, Endpoint
from inference.serving.problems import Answer, InternalError
from inference.serving.schemas import BatchResponse, Health, ModelCard, PredictRequest, PredictResponse

if TYPE_CHECKING:
    from inference.model.classifier import TextClassifier
    from inference.serving.application import InferenceApp

_HERE: Final = Path(__file__).parent
_encode = msgspec.json.Encoder().encode
_BODY_ERRORS: Final = (
    BadRequestError,
    RequestTimeoutError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    OverloadedError,
    NotReadyError,
)
_PAGE_HEADERS: Final = {
    # The service's own files and answers, and nobody else's: neither scripts from elsewhere nor another site's frame.
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class _Routes:
    """The endpoints, bound to one application."""

    def __init__(self, app: "InferenceApp") -> None:
        self.app = app

    # --- predict ---

    async def predict(self, request: Request) -> Response:
        return await self._ask(self.app.predict_endpoint, request)

    async def infer(self, request: Request) -> Response:
        self._model(request)
        return await self._ask(self.app.infer_endpoint, request)

    async def _ask(self, endpoint: Endpoint, request: Request) -> Response:
        return _response(await self.app.answer(endpoint, request.scope, request.receive))

    # --- the protocol ---

    async def server_metadata(self) -> Response:
        return _json(protocol.ServerMetadata(self.app.title, self.app.version, []))

    async def server_live(self) -> Response:
        return _json(protocol.ServerLive(live=True))

    async def server_ready(self) -> Response:
        ready = self.app.admission.ready
        why = "" if ready else self._why_not_ready()
        return _json(protocol.ServerReady(live=ready, ready=ready, error=why), 200 if ready else 503)

    async def model_metadata(self, request: Request) -> Response:
        return _json(protocol.metadata(self._model(request)))

    async def model_ready(self, request: Request) -> Response:
        name = request.path_params["model"]
        if self.app.model is not None:
            self._model(request)
        ready = self.app.admission.ready
        why = "" if ready else self._why_not_ready()
        return _json(protocol.ModelReady(name=name, ready=ready, error=why), 200 if ready else 503)

    def _model(self, request: Request) -> "TextClassifier":
        """The model that a path names.

        Raises:
            NotReadyError: none is loaded yet.
            NotFoundError: another one, or another version.
        """
        name, version = request.path_params["model"], request.path_params.get("version")
        model = self.app.model
        if model is None:
            raise NotReadyError(NOT_LOADED)
        if name != model.name:
            raise NotFoundError(f"there is no model '{name[:100]}'; there is '{model.name}'")
        if version not in {None, model.version}:
            raise NotFoundError(f"model '{name}' has no version '{version[:100]}'; it has '{model.version}'")
        return model

    # --- the model, the page, the documents ---

    async def model_card(self) -> Response:
        model = self.app.model
        if model is None:
            raise NotReadyError(NOT_LOADED)
        manifest = msgspec.to_builtins(model.manifest)
        card = ModelCard(model.name, model.version, model.digest, model.scorer_kind, list(model.labels), manifest)
        return _json(card)

    async def page(self) -> Response:
        return _html(_HERE / "page" / "index.html")

    async def docs(self) -> Response:
        return _html(_HERE / "docs" / "index.html")

    # --- operations ---

    async def liveness(self) -> Response:
        return _json(Health("ok"))

    async def readiness(self) -> Response:
        if not self.app.admission.ready:
            raise NotReadyError(self._why_not_ready())
        return _json(Health("ok"))

    async def metrics(self, request: Request) -> Response:
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encoder(self.app.metrics.registry), headers={"content-type": content_type})

    def _why_not_ready(self) -> str:
        return "the service is shutting down" if self.app.admission.draining else NOT_LOADED


def add_routes(app: "InferenceApp") -> None:
    """Give `app` every route, its documentation and its way to tell an error."""
    routes = _Routes(app)
    _add_predict(app, routes)
    _add_protocol(app, routes)
    _add_operations(app, routes)
    app.mount("/page", StaticFiles(directory=_HERE / "page", check_dir=False), name="page")
    app.mount("/docs", StaticFiles(directory=_HERE / "docs"), name="docs")
    app.add_exception_handler(HTTPException, _error)
    app.add_exception_handler(RequestError, _error)
    app.add_exception_handler(Exception, _error)


def _add_predict(app: "InferenceApp", routes: _Routes) -> None:
    path = contract.PREDICT_PATH
    errors = (*_BODY_ERRORS, InvalidInputError)
    _Operation("POST", path, "predict", "Classify a text, or a list of texts").add(
        app,
        routes.predict,
        document.answers("The answer, or a list of them.", PredictResponse, BatchResponse, errors=errors, path=path),
        document.body(
            PredictRequest,
            text={"text": "Win a free prize now"},
            explained={"text": "Win a free prize now", "explain": True},
            texts={"text": ["Win a free prize now", "See you at the meeting tomorrow"]},
        ),
    )


def _add_protocol(app: "InferenceApp", routes: _Routes) -> None:
    root = contract.PROTOCOL_PATH
    for path in (root, f"{root}/"):
        _Operation("GET", path, "protocol", "What the server is").add(
            app, routes.server_metadata, _answers("Name, version, extensions.", protocol.ServerMetadata)
        )
    _Operation("GET", f"{root}/health/live", "protocol", "Whether the server answers").add(
        app, routes.server_live, _answers("It does.", protocol.ServerLive)
    )
    _Operation("GET", f"{root}/health/ready", "protocol", "Whether the server has its model").add(
        app, routes.server_ready, _ready_answers(protocol.ServerReady)
    )
    for middle in ("", "/versions/{version}"):
        _add_model(app, routes, f"{root}/models/{{model}}{middle}", versioned=bool(middle))


def _add_model(app: "InferenceApp", routes: _Routes, path: str, *, versioned: bool) -> None:
    parameters = _path_parameters(versioned=versioned)
    _Operation("GET", path, "protocol", "What a model takes and gives").add(
        app,
        routes.model_metadata,
        _answers("The model.", protocol.ModelMetadata, NotFoundError, NotReadyError),
        parameters,
    )
    _Operation("GET", f"{path}/ready", "protocol", "Whether a model can be asked").add(
        app, routes.model_ready, _ready_answers(protocol.ModelReady, NotFoundError), parameters
    )
    _Operation("POST", f"{path}/infer", "protocol", "Classify texts").add(
        app,
        routes.infer,
        _answers("The answers.", protocol.InferResponse, *_BODY_ERRORS, NotFoundError),
        parameters | document.body(protocol.InferRequest),
    )


def _add_operations(app: "InferenceApp", routes: _Routes) -> None:
    path = contract.LIVENESS_PATH
    _Operation("GET", path, "operations", "Whether the process answers").add(
        app, routes.liveness, document.answers("It does.", Health, path=path)
    )
    path = contract.READINESS_PATH
    _Operation("GET", path, "operations", "Whether the model can be asked").add(
        app, routes.readiness, document.answers("It can.", Health, errors=(NotReadyError,), path=path)
    )
    _Operation("GET", contract.METRICS_PATH, "operations", "What Prometheus reads").add(
        app, routes.metrics, document.text_answer("Prometheus's text format, or OpenMetrics.", "text/plain")
    )
    path = contract.MODEL_PATH
    _Operation("GET", path, "model", "The model's card").add(
        app, routes.model_card, document.answers("The card.", ModelCard, errors=(NotReadyError,), path=path)
    )
    _Operation("GET", contract.ROOT_PATH, "model", "A page to try the model").add(
        app, routes.page, document.text_answer("The page.", "text/html")
    )
    app.add_api_route(contract.DOCS_PATH, routes.docs, include_in_schema=False)


class _Operation(NamedTuple):
    """A method of a path, as the OpenAPI document lists it."""

    method: str
    path: str
    tag: str
    summary: str

    def add(
        self,
        app: "InferenceApp",
        endpoint: Callable[..., Awaitable[Response]],
        responses: dict[int | str, dict[str, Any]],
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Let `endpoint` answer it."""
        app.add_api_route(
            self.path,
            endpoint,
            methods=[self.method],
            tags=[self.tag],
            summary=self.summary,
            operation_id=_operation_id(self.method, self.path),
            response_class=Response,
            responses=responses,
            openapi_extra=extra,
        )


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}") or "root" for word in path.split("/")[1:]]
    return "_".join([method.lower(), *words])


def _path_parameters(*, versioned: bool) -> dict[str, Any]:
    described = {"model": "Name of the model."}
    if versioned:
        described["version"] = "The model's version: the first 12 hexadecimal digits of its digest."
    return document.parameters(**described)


def _answers(description: str, struct: type[msgspec.Struct], *errors: type[RequestError]) -> dict[int | str, Any]:
    return document.answers(description, struct, errors=errors, path=contract.PROTOCOL_PATH)


def _ready_answers(struct: type[msgspec.Struct], *errors: type[RequestError]) -> dict[int | str, Any]:
    found = _answers("It is.", struct, *errors)
    found[NotReadyError.status] = {"description": "It is not.", "content": found[200]["content"]}
    return found


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers={"content-type": answer.content_type, **dict(answer.headers)})


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    return Response(_encode(value), status, headers={"content-type": problems.JSON})


def _html(file: Path) -> Response:
    return Response(file.read_bytes(), headers={"content-type": "text/html; charset=utf-8", **_PAGE_HEADERS})


async def _error(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HTTPException):
        error = problems.from_http(error.status_code, path, error.headers or {})
    elif not isinstance(error, RequestError):  # it goes on to `InferenceApp`, which logs it
        error = InternalError(problems.FAILED)
    return _response(problems.answer(error, path))
