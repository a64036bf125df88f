"""A text classifier in memory: predicts a label, and explains which words the prediction depends on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from inference.errors import ArtifactError
from inference.model import ngrams as python_ngrams
from inference.model import scorer as python_scorer
from inference.model.artifact import Artifact
from inference.model.interface import BYTES, FP64, Prediction, TensorSpec, TextModel
from inference.model.linear import LinearScorer, MakeScore, TextNgrams
from inference.model.linear_weights import unpack_linear
from inference.model.manifest import LinearManifest, OnnxManifest
from inference.model.ngrams import NgramWeights
from inference.model.scorer import Contribution, Weights, unpack_weights
from inference.model.tfidf import TextScorer, TfidfScorer
from inference.model.words import WordNgrams, word_model

if TYPE_CHECKING:
    from inference.model._scorer import Scorer as CompiledScorer

TEXT: Final = "text"
LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
PLATFORM: Final = "tenantry_naive_bayes"
_WARM_UP: Final = "a first text, so that the first request does not wait for work that is done once"
_WARM_UP_TERMS: Final = 3


class TextClassifier(TextModel):
    """Classifies texts with the weights of one artifact, with the compiled scorer if it was built.

    Args:
        artifact: The files of the model.
        make_scorer: Makes the scorer of format 1; absent: the compiled one, or Python where it was not built.
        make_ngrams: The same for the n-grams of format 2; if given, the rest of the scorer is in Python.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        make_scorer: Callable[[Weights], TextScorer] | None = None,
        make_ngrams: Callable[[NgramWeights], TextNgrams] | None = None,
    ) -> None:
        manifest = artifact.manifest
        if isinstance(manifest, OnnxManifest):
            raise ArtifactError(f"'{manifest.name}' is an ONNX model; serve it with runtime 'onnx'")
        self.manifest = manifest
        self.name = manifest.name
        self.labels = manifest.labels
        self.digest = artifact.digest
        self.version = artifact.version
        self.platform = PLATFORM
        self.inputs = (TensorSpec(TEXT, BYTES, (-1,)),)
        self.outputs = (
            TensorSpec(LABEL, BYTES, (-1,)),
            TensorSpec(PROBABILITIES, FP64, (-1, len(manifest.labels))),
        )
        self._scorer: TfidfScorer | LinearScorer
        if isinstance(manifest, LinearManifest):
            linear = unpack_linear(artifact.weights, manifest)
            make_score = None if make_ngrams else compiled_score()
            self._scorer = LinearScorer(linear, make_ngrams or compiled_ngrams() or python_ngrams.Ngrams, make_score)
        else:
            weights = unpack_weights(
                artifact.weights,
                labels=len(self.labels),
                terms=manifest.vectorizer.terms,
                bigrams=manifest.vectorizer.ngram_range == (1, 2),
            )
            self._scorer = TfidfScorer(weights, make_scorer or compiled_scorer() or python_scorer.Scorer)
        self._score = self._scorer.score
        self.scorer_kind = self._scorer.kind

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "TextClassifier":
        """Load the artifact's weights.

        Raises:
            ArtifactError: the weights do not match the manifest.
        """
        return cls(artifact)

    def predict(self, text: str) -> Prediction:
        """Return the most probable label of `text`; of equally probable labels, the first."""
        probabilities, words, unknown_words = self._score(text)
        confidence = max(probabilities)
        label = self.labels[probabilities.index(confidence)]
        return Prediction(label, confidence, probabilities, words, unknown_words)

    def warm_up(self) -> None:
        """Predict and explain one text."""
        self.predict(_WARM_UP)
        self.explain(_WARM_UP, _WARM_UP_TERMS)

    def explain(self, text: str, limit: int) -> list[Contribution]:
        """Return the `limit` occurrences with the largest weights, for or against the prediction, strongest first."""
        probabilities = self._score(text).probabilities
        predicted, runner_up = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:2]
        return self._scorer.explain(text, predicted, runner_up, limit)


def compiled_scorer() -> "type[CompiledScorer] | None":
    """The compiled scorer, or None if it was not built."""
    try:
        from inference.model._scorer import Scorer  # noqa: PLC0415 - optional extension
    except ImportError:
        return None
    return Scorer


def compiled_ngrams() -> Callable[[NgramWeights], TextNgrams] | None:
    """A function that makes the fastest compiled n-grams for a vectorizer, or None if they were not built."""
    try:
        from inference.model._ngrams import Ngrams  # noqa: PLC0415 - optional extension
        from inference.model._scorer import Scorer  # noqa: PLC0415 - optional extension
    except ImportError:
        return None

    def make_ngrams(part: NgramWeights) -> TextNgrams:
        words = word_model(part)
        return WordNgrams(part, *words, Scorer) if words else Ngrams(part)

    return make_ngrams


def compiled_score() -> MakeScore | None:
    """A function that makes the compiled `LinearScorer.score`, or None if it was not built."""
    try:
        from inference.model._linear import LinearScore  # noqa: PLC0415 - optional extension
    except ImportError:
        return None
    return lambda weights, adds: LinearScore(weights, adds).score
