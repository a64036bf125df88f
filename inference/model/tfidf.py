"""Models of format 1: a scorer of fixed settings, and the explanation of its answers."""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final, Protocol

from inference.model.lowercase import lower
from inference.model.scorer import TOKEN, Contribution, Occurrence, Score, Weights


class TextScorer(Protocol):
    """The interface of `inference.model.scorer.Scorer` and of the compiled scorer."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def score(self, text: str, /) -> Score:
        """The probability of each label, the number of words, and how many of them are unknown."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]:
        """Every occurrence of a known term in the text in lower case, and the length of the text's vector."""


class TfidfScorer:
    """Scores texts with `weights`, with the scorer that `make_scorer` makes of them."""

    def __init__(self, weights: Weights, make_scorer: Callable[[Weights], TextScorer]) -> None:
        self._weights = weights
        self._scorer = make_scorer(weights)
        self.kind: Final = self._scorer.kind
        self.score: Final = self._scorer.score

    def explain(self, text: str, label: int, rival: int, limit: int) -> list[Contribution]:
        """The `limit` occurrences that change the log odds of `label` against `rival` most, strongest first."""
        occurrences, length = self._scorer.occurrences(text)
        weighted = ((self._push(found.term, label, rival) / length, found) for found in occurrences)
        # A sort would hold the interpreter for too long on a long text.
        strongest = nsmallest(limit, weighted, key=lambda pair: (-abs(pair[0]), pair[1].start, pair[1].end))
        return list(_contributions(text, strongest))

    def _push(self, term: int, label: int, rival: int) -> float:
        others = len(self._weights.priors)
        pushes = (0.0, *self._weights.pushes[term * others : (term + 1) * others])
        return self._weights.idf[term] * (pushes[label] - pushes[rival])


def _contributions(text: str, weighted: list[tuple[float, Occurrence]]) -> Iterator[Contribution]:
    lowered = lower(text)
    origin = range(len(text) + 1) if len(lowered) == len(text) else _origins(text)
    for weight, (_, start, end) in weighted:
        term = " ".join(TOKEN.findall(lowered[start:end]))
        # The last character's origin, and one more: where lower case is longer, an end may fall inside a character.
        yield Contribution(term, origin[start], origin[end - 1] + 1, weight)


def _origins(text: str) -> list[int]:
    """For each character of `text.lower()`, the index of the character of `text` that it comes from."""
    return [index for index, character in enumerate(text) for _ in character.lower()]
