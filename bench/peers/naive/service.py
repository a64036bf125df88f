"""A common first version: a pipeline from joblib behind a FastAPI endpoint."""

import os

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
pipeline = joblib.load(os.environ["PIPELINE"])


class Request(BaseModel):
    """One text."""

    text: str


class Response(BaseModel):
    """Its answer."""

    prediction: str
    confidence: float


@app.post("/predict")
def predict(request: Request) -> Response:
    """Classify a text; FastAPI runs this in a thread."""
    probabilities = pipeline.predict_proba([request.text])[0]
    best = int(probabilities.argmax())
    return Response(prediction=str(pipeline.classes_[best]), confidence=float(probabilities[best]))
