"""POST /predict."""

from typing import Final

from fastapi import FastAPI

from inference import contract
from inference.errors import InvalidInputError
from inference.serving import openapi
from inference.serving.routes.operation import BODY_ERRORS, Operation, answered_before_fastapi
from inference.serving.schemas import (
    BatchResponse,
    PredictRequest,
    PredictResponse,
    RecordsRequest,
    ValuesBatchResponse,
    ValuesResponse,
)
from inference.serving.service import Service

_ERRORS: Final = (*BODY_ERRORS, InvalidInputError)


class PredictRoutes:
    """Documents the route; see `answered_before_fastapi`."""

    def __init__(self, service: Service) -> None:
        self._runtime = service.settings.runtime

    def add_to(self, app: FastAPI) -> None:
        """Add the route to `app`."""
        if self._runtime == "onnx":
            self._add_records(app)
        else:
            self._add_texts(app)

    def _add_records(self, app: FastAPI) -> None:
        path = contract.PREDICT_PATH
        Operation("POST", path, openapi.PREDICT_TAG, "Predict for a record or a list of records").add(
            app,
            answered_before_fastapi,
            openapi.responses(
                "The answer, or a list of answers: labels if the model is a classifier, otherwise values.",
                PredictResponse,
                BatchResponse,
                ValuesResponse,
                ValuesBatchResponse,
                errors=_ERRORS,
                path=path,
            ),
            openapi.request_body(RecordsRequest),
        )

    def _add_texts(self, app: FastAPI) -> None:
        path = contract.PREDICT_PATH
        Operation("POST", path, openapi.PREDICT_TAG, "Classify a text or a list of texts").add(
            app,
            answered_before_fastapi,
            openapi.responses(
                "The answer, or a list of answers.", PredictResponse, BatchResponse, errors=_ERRORS, path=path
            ),
            openapi.request_body(
                PredictRequest,
                text={"text": "Win a free prize now"},
                explained={"text": "Win a free prize now", "explain": True},
                probabilities={"text": "Win a free prize now", "probabilities": True},
                texts={"text": ["Win a free prize now", "See you at the meeting tomorrow"]},
            ),
        )
