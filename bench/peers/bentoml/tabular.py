"""A BentoML service with batching, for rows of numbers."""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 1024})
class Tabular:
    """The model, as BentoML calls it."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["PIPELINE"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> list[dict[str, float | str]]:
        """Classify a batch of rows."""
        probabilities = self.model.predict_proba(rows)
        return [
            {"prediction": str(self.model.classes_[best]), "confidence": float(row[best])}
            for best, row in zip(probabilities.argmax(axis=1), probabilities, strict=True)
        ]
