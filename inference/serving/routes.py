"""The routes that FastAPI serves, and the documentation of those that are answered below it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import FastAPI
from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
from inference.model.classifier import TextClassifier
from inference.serving import binary, problems, protocol
from inference.serving import openapi as document
from inference.serving.assets import Assets
from inference.serving.endpoints import NOT_LOADED, Endpoint
from inference.serving.problems import Answer, InternalError
from inference.serving.schemas import BatchResponse, Health, ModelCard, PredictRequest, PredictResponse
from inference.serving.service import Service

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


class _Handlers:
    """What answers each route."""

    def __init__(self, app: FastAPI, service: Service) -> None:
        self.app = app
        self.service = service
        self._page = Assets(_HERE / "page")
        self._docs = Assets(_HERE / "docs")
        self._document = b""

    # --- predict ---

    async def predict(self, request: Request) -> Response:
        return await self._answer(self.service.predict_endpoint, request)

    async def infer(self, request: Request) -> Response:
        self._model(request)
        return await self._answer(self.service.infer_endpoint, request)

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        body = await request.body()
        return _response(await self.service.answer(endpoint, request.scope["headers"], body, request.url.path))

    # --- the protocol ---

    async def server_metadata(self) -> Response:
        return _json(protocol.ServerMetadata(self.app.title, self.app.version, [binary.EXTENSION]))

    async def models(self) -> Response:
        model = self.service.model
        return _json(protocol.ModelList([model.name] if model else []))

    async def server_live(self) -> Response:
        return _json(protocol.ServerLive(live=True))

    async def server_ready(self) -> Response:
        ready = self.service.admission.ready
        why = "" if ready else self._why_not_ready()
        return _json(protocol.ServerReady(live=ready, ready=ready, error=why), 200 if ready else 503)

    async def model_metadata(self, request: Request) -> Response:
        return _json(protocol.metadata(self._model(request)))

    async def model_ready(self, request: Request) -> Response:
        name = request.path_params["model"]
        if self.service.model is not None:
            self._model(request)
        ready = self.service.admission.ready
        why = "" if ready else self._why_not_ready()
        return _json(protocol.ModelReady(name=name, ready=ready, error=why), 200 if ready else 503)

    def _model(self, request: Request) -> TextClassifier:
        """The model that a path names.

        Raises:
            NotReadyError: none is loaded yet.
            NotFoundError: another one, or another version.
        """
        name, version = request.path_params["model"], request.path_params.get("version")
        model = self.service.model
        if model is None:
            raise NotReadyError(NOT_LOADED)
        if name != model.name:
            raise NotFoundError(f"there is no model '{name[:100]}'; there is '{model.name}'")
        if version not in {None, model.version}:
            raise NotFoundError(f"model '{name}' has no version '{version[:100]}'; it has '{model.version}'")
        return model

    # --- the model, the page, the documents ---

    async def model_card(self) -> Response:
        model = self.service.model
        if model is None:
            raise NotReadyError(NOT_LOADED)
        manifest = msgspec.to_builtins(model.manifest)
        card = ModelCard(model.name, model.version, model.digest, model.scorer_kind, list(model.labels), manifest)
        return _json(card)

    async def openapi(self) -> Response:
        self._document = self._document or _encode(self.app.openapi())  # once: it takes a millisecond
        return Response(self._document, headers={"content-type": problems.JSON})

    async def page(self, request: Request) -> Response:
        return _file(self._page, request)

    async def docs(self, request: Request) -> Response:
        return _file(self._docs, request)

    # --- operations ---

    async def liveness(self) -> Response:
        return _json(Health("ok"))

    async def readiness(self) -> Response:
        if not self.service.admission.ready:
            raise NotReadyError(self._why_not_ready())
        return _json(Health("ok"))

    async def metrics(self, request: Request) -> Response:
        try:
            encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        except Exception:  # noqa: BLE001 - negotiation never fails: what is malformed asks for nothing special
            encoder, content_type = choose_encoder("")
        return Response(encoder(self.service.metrics.registry), headers={"content-type": content_type})

    def _why_not_ready(self) -> str:
        return "the service is shutting down" if self.service.admission.draining else NOT_LOADED


def add_routes(app: FastAPI, service: Service) -> None:
    """Give `app` every route, its documentation, and the form of its errors."""
    handlers = _Handlers(app, service)
    _add_predict(app, handlers)
    _add_protocol(app, handlers)
    _add_operations(app, handlers)
    for path in ("/page/{file}", contract.DOCS_PATH, f"{contract.DOCS_PATH}/{{file}}"):
        handler = handlers.page if path.startswith("/page") else handlers.docs
        app.add_api_route(path, handler, include_in_schema=False)
    app.add_api_route(contract.OPENAPI_PATH, handlers.openapi, include_in_schema=False)
    for error in (HTTPException, RequestError, Exception):
        app.add_exception_handler(error, _error)


def _add_predict(app: FastAPI, handlers: _Handlers) -> None:
    path = contract.PREDICT_PATH
    errors = (*_BODY_ERRORS, InvalidInputError)
    _Operation("POST", path, "predict", "Classify a text, or a list of texts").add(
        app,
        handlers.predict,
        document.answers("The answer, or a list of them.", PredictResponse, BatchResponse, errors=errors, path=path),
        document.body(
            PredictRequest,
            text={"text": "Win a free prize now"},
            explained={"text": "Win a free prize now", "explain": True},
            texts={"text": ["Win a free prize now", "See you at the meeting tomorrow"]},
        ),
    )


def _add_protocol(app: FastAPI, handlers: _Handlers) -> None:
    root = contract.PROTOCOL_PATH
    for path in (root, f"{root}/"):
        _Operation("GET", path, "protocol", "What the server is").add(
            app, handlers.server_metadata, _answers("Name, version, extensions.", protocol.ServerMetadata)
        )
    _Operation("GET", f"{root}/health/live", "protocol", "Whether the server answers").add(
        app, handlers.server_live, _answers("The server is live.", protocol.ServerLive)
    )
    _Operation("GET", f"{root}/health/ready", "protocol", "Whether the server has its model").add(
        app, handlers.server_ready, _ready_answers(protocol.ServerReady)
    )
    _Operation("GET", f"{root}/models", "protocol", "Which models the server has").add(
        app, handlers.models, _answers("Its model, once it is loaded.", protocol.ModelList)
    )
    for middle in ("", "/versions/{version}"):
        _add_model(app, handlers, f"{root}/models/{{model}}{middle}", versioned=bool(middle))


def _add_model(app: FastAPI, handlers: _Handlers, path: str, *, versioned: bool) -> None:
    parameters = _path_parameters(versioned=versioned)
    _Operation("GET", path, "protocol", "What a model takes and gives").add(
        app,
        handlers.model_metadata,
        _answers("The model.", protocol.ModelMetadata, NotFoundError, NotReadyError),
        parameters,
    )
    _Operation("GET", f"{path}/ready", "protocol", "Whether a model can be asked").add(
        app, handlers.model_ready, _ready_answers(protocol.ModelReady, NotFoundError), parameters
    )
    _Operation("POST", f"{path}/infer", "protocol", "Classify texts").add(
        app,
        handlers.infer,
        document.with_binary(_answers("The answers.", protocol.InferResponse, *_BODY_ERRORS, NotFoundError)),
        parameters | document.body(protocol.InferRequest),
    )


def _add_operations(app: FastAPI, handlers: _Handlers) -> None:
    path = contract.LIVENESS_PATH
    _Operation("GET", path, "operations", "Whether the process answers").add(
        app, handlers.liveness, document.answers("The process answers.", Health, path=path)
    )
    path = contract.READINESS_PATH
    _Operation("GET", path, "operations", "Whether the model can be asked").add(
        app, handlers.readiness, document.answers("It can.", Health, errors=(NotReadyError,), path=path)
    )
    _Operation("GET", contract.METRICS_PATH, "operations", "What Prometheus reads").add(
        app, handlers.metrics, document.text_answer("Prometheus's text format, or OpenMetrics.", "text/plain")
    )
    path = contract.MODEL_PATH
    _Operation("GET", path, "model", "The model's card").add(
        app, handlers.model_card, document.answers("The card.", ModelCard, errors=(NotReadyError,), path=path)
    )
    _Operation("GET", contract.ROOT_PATH, "model", "A page to try the model").add(
        app, handlers.page, document.text_answer("The page.", "text/html")
    )


class _Operation(NamedTuple):
    """A method of a path, as the OpenAPI document lists it."""

    method: str
    path: str
    tag: str
    summary: str

    def add(
        self,
        app: FastAPI,
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
    found[NotReadyError.status] = {"description": "The server or model is not ready.", "content": found[200]["content"]}
    return found


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers={"content-type": answer.content_type, **dict(answer.headers)})


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    return Response(_encode(value), status, headers={"content-type": problems.JSON})


def _file(assets: Assets, request: Request) -> Response:
    name = request.path_params.get("file", "index.html")
    return assets.response(name, request.headers.get("if-none-match", ""))


async def _error(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HTTPException):
        error = problems.from_http(error.status_code, path, error.headers or {})
    elif not isinstance(error, RequestError):  # Starlette raises it again, and `InferenceApp` logs it
        error = InternalError()
    return _response(problems.answer(error, path))
