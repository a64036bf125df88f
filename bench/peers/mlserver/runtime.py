"""A runtime for MLServer: texts in as BYTES, labels and probabilities out."""

import joblib
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Spam(MLModel):
    """The pipeline as MLServer calls it: with a batch from its adaptive batching."""

    async def load(self) -> bool:
        """Read the pipeline."""
        self.pipeline = joblib.load(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Classify a batch of texts."""
        probabilities = self.pipeline.predict_proba(StringCodec.decode_input(payload.inputs[0]))
        labels = [str(self.pipeline.classes_[best]) for best in probabilities.argmax(axis=1)]
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                StringCodec.encode_output("label", labels),
                NumpyCodec.encode_output("probabilities", probabilities),
            ],
        )
