"""What the service requires of a loaded model, whatever its runtime.

A runtime is a subclass of `LoadedModel`, and endpoints that answer with it; `inference.serving.endpoints.runtimes`
chooses them.
"""

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

from inference.model.manifest import Manifest
from inference.model.scorer import Contribution

BYTES: Final = "BYTES"
FP64: Final = "FP64"


class TensorSpec(NamedTuple):
    """A tensor that a model takes or returns, in the terms of the Open Inference Protocol.

    Attributes:
        name: Unique among the model's inputs, or among its outputs.
        datatype: One of the protocol's datatypes.
        shape: One size per dimension; -1 where it varies.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


class LoadedModel(ABC):
    """A model in memory, whatever its runtime.

    Attributes:
        name: The model's name in the Open Inference Protocol.
        version: The first 12 hexadecimal digits of the digest.
        digest: SHA-256 of the manifest, 64 hexadecimal digits.
        manifest: Description and hold-out metrics.
        labels: The labels that it predicts, in the order of their probabilities.
        platform: The protocol's name for the runtime and the kind of model.
        scorer_kind: The implementation that computes the predictions, as metrics and the model card name it.
        inputs: The tensors that it takes.
        outputs: The tensors that it returns.
    """

    name: str
    version: str
    digest: str
    manifest: Manifest
    labels: tuple[str, ...]
    platform: str
    scorer_kind: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @abstractmethod
    def warm_up(self) -> None:
        """Do the work that the first prediction would otherwise wait for."""


class Prediction(NamedTuple):
    """The prediction for one text.

    Attributes:
        label: The most probable label.
        confidence: The probability of `label`.
        probabilities: One per label, in the order of the model's labels.
        words: The number of words in the text.
        unknown_words: How many of them are not in the model's vocabulary.
    """

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class TextModel(LoadedModel):
    """A model that classifies texts."""

    @abstractmethod
    def predict(self, text: str) -> Prediction:
        """Return the most probable label of `text`. Any string has a prediction, the empty string too."""

    @abstractmethod
    def explain(self, text: str, limit: int) -> list[Contribution]:
        """Return the `limit` terms with the largest weights, for or against the prediction, strongest first."""
