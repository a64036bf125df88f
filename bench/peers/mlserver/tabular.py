"""A runtime for MLServer: rows in as a matrix, labels and probabilities out, as its scikit-learn runtime does."""

import joblib
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Tabular(MLModel):
    """The model as MLServer calls it: with a batch from its adaptive batching."""

    async def load(self) -> bool:
        """Read the model."""
        self.model = joblib.load(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Classify a batch of rows."""
        probabilities = self.model.predict_proba(NumpyCodec.decode_input(payload.inputs[0]))
        labels = [str(self.model.classes_[best]) for best in probabilities.argmax(axis=1)]
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                StringCodec.encode_output("label", labels),
                NumpyCodec.encode_output("probabilities", probabilities),
            ],
        )
