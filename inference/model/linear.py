"""Linear models over n-grams (format 2): a score per label from each vectorizer, then probabilities."""

from array import array  # noqa: TC003 - the alias below is evaluated at run time
from collections.abc import Callable, Iterator, Sequence
from heapq import nsmallest
from typing import Final, Protocol

from inference.model.linear_weights import LinearWeights
from inference.model.links import label_weights, make_link
from inference.model.ngrams import Ngrams, NgramWeights, origins, prepare, tokens
from inference.model.scorer import Contribution, Occurrence, Score


class TextNgrams(Protocol):
    """The interface of `inference.model.ngrams.Ngrams` and of the compiled versions."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def add(self, text: str, scores: "array[float]", /) -> tuple[int, int]:
        """Add what the text adds to each score; return the number of smallest n-grams, and how many are not terms."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], dict[int, float]]:
        """Every occurrence of a known term in the prepared text, and for each of these terms the value of one."""


Add = Callable[[str, "array[float]"], tuple[int, int]]
"""`TextNgrams.add`."""
MakeScore = Callable[[LinearWeights, Sequence[Add]], Callable[[str], Score]]
"""Makes `LinearScorer.score` from the weights and the `add` of each vectorizer."""


class LinearScorer:
    """Scores texts with `weights`. Accepts any string.

    Args:
        weights: the numbers of the model.
        make_ngrams: makes what reads a text for one vectorizer.
        make_score: makes the method `score`; absent: `python_score`, the reference.
    """

    def __init__(
        self,
        weights: LinearWeights,
        make_ngrams: Callable[[NgramWeights], TextNgrams] = Ngrams,
        make_score: MakeScore | None = None,
    ) -> None:
        self._weights = weights
        self._ngrams = [make_ngrams(part) for part in weights.parts]
        self.score: Final = (make_score or python_score)(weights, [ngrams.add for ngrams in self._ngrams])
        self.kind: Final = self._ngrams[0].kind

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
        found, values = self._ngrams[index].occurrences(text)
        starts, ends = origins(part.features, text)
        prepared = prepare(part.features, text)
        pushes = {key: value * self._difference(part, key, label, rival) for key, value in values.items()}
        for key, start, end in found:
            if end > start:
                yield Contribution(_name(part, prepared, key, start, end), starts[start], ends[end - 1], pushes[key])

    def _difference(self, part: NgramWeights, key: int, label: int, rival: int) -> float:
        first = part.row(key) * part.scores
        row = part.weights[first : first + part.scores]
        weights = label_weights(self._weights.calibrators, self._weights.labels, row)
        return weights[label] - weights[rival]


def python_score(weights: LinearWeights, adds: Sequence[Add]) -> Callable[[str], Score]:
    """The reference for scoring a text: the scores of all vectorizers, then the link."""
    link = make_link(weights.link, weights.calibrators)

    def score(text: str) -> Score:
        """The probability of each label; words are counted as the first vectorizer sees them."""
        scores = weights.bias[:]
        (words, unknown), *_ = [add(text, scores) for add in adds]
        return Score(link(scores), words, unknown)

    return score


def _name(part: NgramWeights, prepared: str, key: int, start: int, end: int) -> str:
    if part.features.hashing is None:
        return part.term(key)
    ngram = prepared[start:end]
    if part.features.analyzer == "word":
        return " ".join(ngram[first:last] for first, last in tokens(part.features, ngram))
    return ngram


def _strongest_first(found: Contribution) -> tuple[float, int, int]:
    return -abs(found.weight), found.start, found.end
