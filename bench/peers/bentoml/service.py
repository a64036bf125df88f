"""A BentoML service with batching."""

import os

import bentoml
import joblib


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 1024})
class Spam:
    """The pipeline, as BentoML calls it."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["PIPELINE"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, texts: list[str]) -> list[dict[str, float | str]]:
        """Classify a batch of texts."""
        probabilities = self.pipeline.predict_proba(texts)
        return [
            {"prediction": str(self.pipeline.classes_[best]), "confidence": float(row[best])}
            for best, row in zip(probabilities.argmax(axis=1), probabilities, strict=True)
        ]
