"""The routes of the Open Inference Protocol: metadata, health, and `infer`."""

from typing import Any

from fastapi import FastAPI
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from inference import contract
from inference.errors import NotFoundError, NotReadyError, RequestError
from inference.model.interface import LoadedModel
from inference.serving import openapi
from inference.serving.openapi import PROTOCOL_TAG, Responses
from inference.serving.protocol import binary, messages
from inference.serving.protocol.tensor_messages import TensorRequest
from inference.serving.routes.operation import BODY_ERRORS, Operation, answered_before_fastapi, json_response
from inference.serving.service import Service

_ROOT = contract.PROTOCOL_PATH


class ProtocolRoutes:
    """Answers the protocol's routes for the one model of `service`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to `app`."""
        self._title, self._version = app.title, app.version
        for path in (_ROOT, f"{_ROOT}/"):
            Operation("GET", path, PROTOCOL_TAG, "Server metadata").add(
                app, self.server_metadata, _responses("Name, version and extensions.", messages.ServerMetadata)
            )
        Operation("GET", f"{_ROOT}/health/live", PROTOCOL_TAG, "Server liveness").add(
            app, self.server_live, _responses("The server is live.", messages.ServerLive)
        )
        Operation("GET", f"{_ROOT}/health/ready", PROTOCOL_TAG, "Server readiness").add(
            app, self.server_ready, _readiness_responses("The server is ready.", messages.ServerReady)
        )
        Operation("GET", f"{_ROOT}/models", PROTOCOL_TAG, "List the models").add(
            app, self.models, _responses("The loaded model; empty before it is loaded.", messages.ModelList)
        )
        described = {"model": "Name of the model."}
        self._add_model(app, f"{_ROOT}/models/{{model}}", openapi.path_parameters(**described))
        described["version"] = "Version of the model: the first 12 hexadecimal digits of its digest."
        self._add_model(app, f"{_ROOT}/models/{{model}}/versions/{{version}}", openapi.path_parameters(**described))

    def _add_model(self, app: FastAPI, path: str, parameters: dict[str, Any]) -> None:
        """Add the routes of a model, with or without a version in their path."""
        Operation("GET", path, PROTOCOL_TAG, "Model metadata").add(
            app,
            self.model_metadata,
            _responses("The inputs and outputs of the model.", messages.ModelMetadata, NotFoundError, NotReadyError),
            parameters,
        )
        Operation("GET", f"{path}/ready", PROTOCOL_TAG, "Model readiness").add(
            app,
            self.model_ready,
            _readiness_responses("The model is ready.", messages.ModelReady, NotFoundError),
            parameters,
        )
        is_onnx = self._service.settings.runtime == "onnx"
        Operation("POST", f"{path}/infer", PROTOCOL_TAG, "Run the model" if is_onnx else "Classify texts").add(
            app,
            self.infer,
            openapi.with_binary(_responses("The predictions.", messages.InferResponse, *BODY_ERRORS, NotFoundError)),
            parameters | openapi.request_body(TensorRequest if is_onnx else messages.InferRequest),
        )

    async def server_metadata(self) -> Response:
        """GET /v2."""
        return json_response(messages.ServerMetadata(self._title, self._version, [binary.EXTENSION]))

    async def server_live(self) -> Response:
        """GET /v2/health/live."""
        return json_response(messages.ServerLive(live=True))

    async def server_ready(self) -> Response:
        """GET /v2/health/ready."""
        why = self._service.why_not_ready
        return json_response(messages.ServerReady(live=not why, ready=not why, error=why), _readiness_status(why))

    async def models(self) -> Response:
        """GET /v2/models."""
        model = self._service.model
        return json_response(messages.ModelList([model.name] if model else []))

    async def model_metadata(self, request: Request) -> Response:
        """GET /v2/models/{model}."""
        return json_response(messages.model_metadata(self._model(request)))

    async def model_ready(self, request: Request) -> Response:
        """GET /v2/models/{model}/ready."""
        if self._service.model is not None:
            self._model(request)
        why, name = self._service.why_not_ready, request.path_params["model"]
        return json_response(messages.ModelReady(name=name, ready=not why, error=why), _readiness_status(why))

    async def infer(self, request: Request) -> Response:
        """POST /v2/models/{model}/infer of a model that is not loaded; `InferenceApp` answers for the loaded model."""
        self._model(request)
        return await answered_before_fastapi()

    def _model(self, request: Request) -> LoadedModel:
        """Return the model that the path of `request` names.

        Raises:
            NotReadyError: No model is loaded.
            NotFoundError: The path names another model, or another version.
        """
        name, version = request.path_params["model"], request.path_params.get("version")
        model = self._service.loaded_model()
        if name != model.name:
            raise NotFoundError(f"unknown model '{name[:100]}'; this server has '{model.name}'")
        if version not in {None, model.version}:
            raise NotFoundError(f"model '{name}' has no version '{version[:100]}'; it has '{model.version}'")
        return model


def _readiness_status(why_not: str) -> int:
    return NotReadyError.status if why_not else 200


def _responses(description: str, struct: type[Struct], *errors: type[RequestError]) -> Responses:
    return openapi.responses(description, struct, errors=errors, path=_ROOT)


def _readiness_responses(description: str, struct: type[Struct], *errors: type[RequestError]) -> Responses:
    found = _responses(description, struct, *errors)
    found[NotReadyError.status] = {"description": "The server or model is not ready.", "content": found[200]["content"]}
    return found
