"""The naive service with scikit-learn replaced by one of our scorers: the first steps of the ladder."""

import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from inference.model.artifact import read_directory
from inference.model.classifier import TextClassifier, compiled_scorer
from inference.model.scorer import Scorer

MAKE = {"python": Scorer, "compiled": compiled_scorer()}
app = FastAPI()
model = TextClassifier(read_directory(Path(os.environ["MODEL"])), make_scorer=MAKE[os.environ["SCORER"]])


class Request(BaseModel):
    """One text."""

    text: str


class Response(BaseModel):
    """Its answer."""

    prediction: str
    confidence: float


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Classify a text, on the event loop: it is fast enough for that."""
    found = model.predict(request.text)
    return Response(prediction=found.label, confidence=found.confidence)
