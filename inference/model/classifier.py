"""A text classifier in memory: predicts a label, and explains which words the prediction depends on."""

from collections.abc import Callable
from typing import Final, NamedTuple

from inference.errors import ArtifactError
from inference.model import ngrams as python_ngrams
from inference.model import scorer as python_scorer
from inference.model.artifact import Artifact
from inference.model.linear import LinearScorer, TextNgrams, unpack_linear
from inference.model.manifest import LinearManifest, OnnxManifest
from inference.model.ngrams import NgramWeights
from inference.model.scorer import Contribution, Weights, unpack_weights
from inference.model.tfidf import TextScorer, TfidfScorer


class Prediction(NamedTuple):
    """An answer. `probabilities` are in the order of the model's labels; `confidence` is the probability of `label`."""

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class TextClassifier:
    """Classifies texts with the weights of one artifact, with the compiled scorer if it was built.

    Attributes:
        name: The model's name in the Open Inference Protocol.
        version: The first digits of the digest.
        digest: SHA-256 of the manifest, 64 hexadecimal digits.
        labels: In the order of the probabilities.
        manifest: Description and hold-out metrics.
        scorer_kind: `compiled` or `python`: the same answers at a different speed.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        make_scorer: Callable[[Weights], TextScorer] | None = None,
        make_ngrams: Callable[[NgramWeights], TextNgrams] | None = None,
    ) -> None:
        if isinstance(artifact.manifest, OnnxManifest):
            raise ArtifactError(f"'{artifact.manifest.name}' is an ONNX model; serve it with runtime 'onnx'")
        self.manifest: Final = artifact.manifest
        self.name: Final = artifact.manifest.name
        self.labels: Final = artifact.manifest.labels
        self.digest: Final = artifact.digest
        self.version: Final = artifact.version
        self._scorer: TfidfScorer | LinearScorer
        if isinstance(self.manifest, LinearManifest):
            linear = unpack_linear(artifact.weights, self.manifest)
            self._scorer = LinearScorer(linear, make_ngrams or compiled_ngrams() or python_ngrams.Ngrams)
        else:
            weights = unpack_weights(
                artifact.weights,
                labels=len(self.labels),
                terms=self.manifest.vectorizer.terms,
                bigrams=self.manifest.vectorizer.ngram_range == (1, 2),
            )
            self._scorer = TfidfScorer(weights, make_scorer or compiled_scorer() or python_scorer.Scorer)
        self._score = self._scorer.score
        self.scorer_kind: Final = self._scorer.kind

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "TextClassifier":
        """Load the artifact's weights.

        Raises:
            ArtifactError: the weights do not match the manifest.
        """
        return cls(artifact)

    def predict(self, text: str) -> Prediction:
        """The most probable label of `text`, the first of equals. Any string has an answer, the empty one too."""
        probabilities, words, unknown_words = self._score(text)
        confidence = max(probabilities)
        label = self.labels[probabilities.index(confidence)]
        return Prediction(label, confidence, probabilities, words, unknown_words)

    def explain(self, text: str, limit: int) -> list[Contribution]:
        """The `limit` occurrences with the largest weights, for or against the prediction, strongest first."""
        probabilities = self._score(text).probabilities
        predicted, runner_up = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:2]
        return self._scorer.explain(text, predicted, runner_up, limit)


def compiled_scorer() -> Callable[[Weights], TextScorer] | None:
    """The compiled scorer, or None if it was not built."""
    try:
        from inference.model._scorer import Scorer  # noqa: PLC0415 - optional extension
    except ImportError:
        return None
    return Scorer


def compiled_ngrams() -> Callable[[NgramWeights], TextNgrams] | None:
    """The compiled n-grams, or None if they were not built."""
    try:
        from inference.model._ngrams import Ngrams  # noqa: PLC0415 - optional extension
    except ImportError:
        return None
    return Ngrams
