"""GET /model: the model card."""

import msgspec
from fastapi import FastAPI
from starlette.responses import Response

from inference import contract
from inference.errors import NotReadyError
from inference.serving import openapi
from inference.serving.routes.operation import Operation, json_response
from inference.serving.schemas import ModelCard
from inference.serving.service import Service


class ModelRoutes:
    """Describes the model of `service`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add_to(self, app: FastAPI) -> None:
        """Add the route to `app`."""
        path = contract.MODEL_PATH
        Operation("GET", path, openapi.MODEL_TAG, "Model card").add(
            app, self.card, openapi.responses("The model card.", ModelCard, errors=(NotReadyError,), path=path)
        )

    async def card(self) -> Response:
        """GET /model."""
        model = self._service.loaded_model()
        manifest = msgspec.to_builtins(model.manifest)
        return json_response(
            ModelCard(model.name, model.version, model.digest, model.scorer_kind, list(model.labels), manifest)
        )
