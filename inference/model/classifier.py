"""A text classifier in memory: predicts a label, and explains which words the prediction depends on."""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final, NamedTuple, Protocol

from inference.model import scorer as python_scorer
from inference.model.artifact import Artifact
from inference.model.scorer import Occurrence, Score, Weights, unpack_weights


class Prediction(NamedTuple):
    """An answer. `probabilities` are in the order of the model's labels; `confidence` is the probability of `label`."""

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class Contribution(NamedTuple):
    """One occurrence of a known term: characters `start` to `end` of the original text.

    `weight` is what the occurrence adds to the log odds of the predicted label against the runner-up: it speaks for the
    prediction above zero, against it below zero. The weights of a text and the prior add up to those log odds.
    """

    term: str
    start: int
    end: int
    weight: float


class TextScorer(Protocol):
    """The interface of `inference.model.scorer.Scorer` and of the compiled scorer."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def score(self, text: str, /) -> Score:
        """The probability of each label, the number of words, and how many of them are unknown."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]:
        """Every occurrence of a known term in the text in lower case, and the length of the text's vector."""


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

    def __init__(self, artifact: Artifact, *, make_scorer: Callable[[Weights], TextScorer] | None = None) -> None:
        self.manifest: Final = artifact.manifest
        self.name: Final = artifact.manifest.name
        self.labels: Final = artifact.manifest.labels
        self.digest: Final = artifact.digest
        self.version: Final = artifact.version
        self._weights = unpack_weights(
            artifact.weights,
            labels=len(self.labels),
            terms=self.manifest.vectorizer.terms,
            bigrams=self.manifest.vectorizer.ngram_range == (1, 2),
        )
        self._scorer = (make_scorer or compiled_scorer() or python_scorer.Scorer)(self._weights)
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
        occurrences, length = self._scorer.occurrences(text)
        weighted = ((self._push(found.term, predicted, runner_up) / length, found) for found in occurrences)
        # A sort would hold the interpreter for too long on a long text.
        strongest = nsmallest(limit, weighted, key=lambda pair: (-abs(pair[0]), pair[1].start, pair[1].end))
        return list(_contributions(text, strongest))

    def _push(self, term: int, label: int, rival: int) -> float:
        pushes = (0.0, *self._weights.pushes[term * (others := len(self.labels) - 1) : (term + 1) * others])
        return self._weights.idf[term] * (pushes[label] - pushes[rival])


def compiled_scorer() -> Callable[[Weights], TextScorer] | None:
    """The compiled scorer, or None if it was not built."""
    try:
        from inference.model._scorer import Scorer  # noqa: PLC0415 - optional extension
    except ImportError:
        return None
    return Scorer


def _contributions(text: str, weighted: list[tuple[float, Occurrence]]) -> Iterator[Contribution]:
    lowered = text.lower()
    origin = range(len(text) + 1) if len(lowered) == len(text) else _origins(text)
    for weight, (_, start, end) in weighted:
        term = " ".join(python_scorer.TOKEN.findall(lowered[start:end]))
        # The last character's origin, and one more: where lower case is longer, an end may fall inside a character.
        yield Contribution(term, origin[start], origin[end - 1] + 1, weight)


def _origins(text: str) -> list[int]:
    """For each character of `text.lower()`, the index of the character of `text` that it comes from."""
    return [index for index, character in enumerate(text) for _ in character.lower()]
