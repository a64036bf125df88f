"""Linear models over n-grams (format 2): a score per label from each vectorizer, then probabilities."""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final, Protocol

from inference.model.linear_weights import LinearWeights
from inference.model.links import label_weights, make_link
from inference.model.ngrams import Ngrams, NgramWeights, Part, origins, prepare, tokens, values_of_one
from inference.model.scorer import Contribution, Occurrence, Score, Weights
from inference.model.words import WordSettings, word_model


class TextNgrams(Protocol):
    """The interface of `inference.model.ngrams.Ngrams` and of the compiled version."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def score(self, text: str, /) -> Part:
        """What the text adds to each score."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], dict[int, float]]:
        """Every occurrence of a known term in the prepared text, and for each of these terms the value of one."""


class WordScorer(Protocol):
    """The interface of the compiled scorer, which also serves models of words, or of words and pairs."""

    @property
    def kind(self) -> str:
        """`compiled`."""

    def score(self, text: str, /) -> Score:
        """The probability of each label; for a calibrated model its scores, which are not probabilities yet."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]:
        """Every occurrence of a known term in the prepared text, and the length of the text's vector."""


class LinearScorer:
    """Scores texts with `weights`. Accepts any string.

    Args:
        weights: the numbers of the model.
        make_ngrams: makes what reads a text for one vectorizer.
        make_words: makes the faster scorer for a model of words; None: there is none.
    """

    def __init__(
        self,
        weights: LinearWeights,
        make_ngrams: Callable[[NgramWeights], TextNgrams] = Ngrams,
        make_words: Callable[[Weights, WordSettings], WordScorer] | None = None,
    ) -> None:
        self._weights = weights
        self._link = make_link(weights.link, weights.calibrators)
        self._ngrams: list[TextNgrams] = []
        self._words: WordScorer | None = None
        self.score: Callable[[str], Score] = self._score
        words = word_model(weights) if make_words else None
        if make_words and words:
            self._words = make_words(*words)
            self.score = self._score_words if weights.calibrators else self._words.score
        else:
            self._ngrams = [make_ngrams(part) for part in weights.parts]
        self.kind: Final = self._words.kind if self._words else self._ngrams[0].kind

    def _score(self, text: str) -> Score:
        """The probability of each label; words are counted as the first vectorizer sees them."""
        first, *others = [ngrams.score(text) for ngrams in self._ngrams]
        scores = list(self._weights.bias)
        for part in (first, *others):
            scores = [score + added for score, added in zip(scores, part.scores, strict=True)]
        return Score(self._link(scores), first.words, first.unknown_words)

    def _score_words(self, text: str) -> Score:
        assert self._words  # noqa: S101 - the only caller has it
        scores, words, unknown = self._words.score(text)
        return Score(self._link(scores), words, unknown)

    def explain(self, text: str, label: int, rival: int, limit: int) -> list[Contribution]:
        """The `limit` occurrences that change the score of `label` against `rival` most, strongest first."""
        found = [
            found
            for index, part in enumerate(self._weights.parts)
            for found in nsmallest(limit, self._contributions(text, index, part, label, rival), key=_strongest_first)
        ]
        return nsmallest(limit, found, key=_strongest_first)

    def _contributions(
        self, text: str, index: int, part: NgramWeights, label: int, rival: int
    ) -> Iterator[Contribution]:
        found, values = self._occurrences(text, index, part)
        starts, ends = origins(part.features, text)
        prepared = prepare(part.features, text)
        pushes = {key: value * self._difference(part, key, label, rival) for key, value in values.items()}
        for key, start, end in found:
            if end > start:
                yield Contribution(_name(part, prepared, key, start, end), starts[start], ends[end - 1], pushes[key])

    def _occurrences(self, text: str, index: int, part: NgramWeights) -> tuple[list[Occurrence], dict[int, float]]:
        if self._words is None:
            return self._ngrams[index].occurrences(text)
        found, _ = self._words.occurrences(text)
        return found, values_of_one(part, [occurrence.term for occurrence in found])

    def _difference(self, part: NgramWeights, key: int, label: int, rival: int) -> float:
        first = part.row(key) * part.scores
        row = part.weights[first : first + part.scores]
        weights = label_weights(self._weights.calibrators, self._weights.labels, row)
        return weights[label] - weights[rival]


def _name(part: NgramWeights, prepared: str, key: int, start: int, end: int) -> str:
    if part.features.hashing is None:
        return part.term(key)
    ngram = prepared[start:end]
    if part.features.analyzer == "word":
        return " ".join(ngram[first:last] for first, last in tokens(part.features, ngram))
    return ngram


def _strongest_first(found: Contribution) -> tuple[float, int, int]:
    return -abs(found.weight), found.start, found.end
