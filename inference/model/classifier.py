"""A model in memory: answers texts, and says which words pushed the answer. Knows no HTTP."""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final, NamedTuple, Protocol

from inference.model import scorer as python_scorer
from inference.model.artifact import Artifact
from inference.model.scorer import Occurrence, Score, Weights, unpack_weights


class Prediction(NamedTuple):
    """An answer. `probabilities` stand in the order of the model's labels; `confidence` is the label's."""

    label: str
    confidence: float
    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class Contribution(NamedTuple):
    """One occurrence of a known term: characters `start` to `end` of the text, as it was given.

    `weight` is what the occurrence adds to the log odds of the predicted label against the runner-up: above zero it
    pushed towards the answer, below zero against it. All of a text's weights and the prior add up to those log odds.
    """

    term: str
    start: int
    end: int
    weight: float


class TextScorer(Protocol):
    """What `inference.model.scorer.Scorer` and its compiled twin have in common."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def score(self, text: str, /) -> Score:
        """The probability of each label, and how many words the text has and how many are unknown."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]:
        """Every known term of the text in lower case, and the length of the text's vector."""


class TextClassifier:
    """Answers texts with the weights of one artifact, in the fastest scorer that was built.

    Attributes:
        name: of the artifact, as the Open Inference Protocol shows it.
        version: the digest's first digits.
        digest: SHA-256 of the manifest, 64 hexadecimal digits.
        labels: in the order of the probabilities.
        manifest: what the model is and how well it does.
        scorer_kind: `compiled` or `python`: the same answers at another speed.
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
            ArtifactError: the weights are not what the manifest says.
        """
        return cls(artifact)

    def predict(self, text: str) -> Prediction:
        """The most probable label of `text`, of equals the first. Any string has an answer; the empty one the prior."""
        probabilities, words, unknown_words = self._score(text)
        confidence = max(probabilities)
        label = self.labels[probabilities.index(confidence)]
        return Prediction(label, confidence, probabilities, words, unknown_words)

    def explain(self, text: str, limit: int) -> list[Contribution]:
        """The `limit` occurrences that pushed the answer most, for or against, the strongest first."""
        probabilities = self._score(text).probabilities
        predicted, runner_up = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:2]
        occurrences, length = self._scorer.occurrences(text)
        weighted = ((self._push(found.term, predicted, runner_up) / length, found) for found in occurrences)
        # Not a sort, which a long text would have hold the interpreter for too long.
        strongest = nsmallest(limit, weighted, key=lambda pair: (-abs(pair[0]), pair[1].start, pair[1].end))
        return list(_contributions(text, strongest))

    def _push(self, term: int, label: int, rival: int) -> float:
        pushes = (0.0, *self._weights.pushes[term * (others := len(self.labels) - 1) : (term + 1) * others])
        return self._weights.idf[term] * (pushes[label] - pushes[rival])


def compiled_scorer() -> Callable[[Weights], TextScorer] | None:
    """The compiled scorer, or None where none could be built."""
    try:
        from inference.model._scorer import Scorer  # noqa: PLC0415 - it may not be there
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
    """For each character of `text.lower()` the index of the character of `text` that it came from."""
    return [index for index, character in enumerate(text) for _ in character.lower()]
