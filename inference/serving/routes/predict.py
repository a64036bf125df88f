"""POST /predict."""

from fastapi import FastAPI

from inference import contract
from inference.errors import InvalidInputError
from inference.serving import openapi
from inference.serving.routes.operation import BODY_ERRORS, Operation, answered_before_fastapi
from inference.serving.schemas import BatchResponse, PredictRequest, PredictResponse


class PredictRoutes:
    """Documents the route; see `answered_before_fastapi`."""

    def add_to(self, app: FastAPI) -> None:
        """Add the route to `app`."""
        path = contract.PREDICT_PATH
        errors = (*BODY_ERRORS, InvalidInputError)
        Operation("POST", path, openapi.PREDICT_TAG, "Classify a text or a list of texts").add(
            app,
            answered_before_fastapi,
            openapi.responses(
                "The answer, or a list of answers.", PredictResponse, BatchResponse, errors=errors, path=path
            ),
            openapi.request_body(
                PredictRequest,
                text={"text": "Win a free prize now"},
                explained={"text": "Win a free prize now", "explain": True},
                probabilities={"text": "Win a free prize now", "probabilities": True},
                texts={"text": ["Win a free prize now", "See you at the meeting tomorrow"]},
            ),
        )
