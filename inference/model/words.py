"""Vectorizers of format 2 whose texts the compiled scorer of format 1 can read: n-grams of up to four words."""

import re
from array import array
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from inference.model.manifest import NgramFeatures
from inference.model.ngrams import NgramWeights, values_of_one
from inference.model.scorer import Occurrence, Weights

_SHORTEST: Final = re.compile(r"(?:\(\?u\))?(?P<bound>\\b)?(?P<more>(?:\\w)*)\\w\+(?(bound)\\b)")
"""Token patterns that find runs of word characters of a least length, as people write them."""
_NAMES: Final = re.compile(r"\w+(?: \w+)*(?:\n\w+(?: \w+)*)*")
_WORD: Final = re.compile(r"\w+")
_LONGEST: Final = 4
"""Words of the longest n-gram; `inference.model._scorer` has the same number."""


class WordSettings(NamedTuple):
    """What the scorer does differently for a vectorizer of format 2."""

    features: NgramFeatures
    shortest: int
    """Characters of the shortest word."""
    stop_words: tuple[bytes, ...]
    """In UTF-8."""
    binarize_above: float | None
    """As in `inference.model.ngrams.NgramWeights`."""


class WordScorer(Protocol):
    """The interface of the compiled scorer for a vectorizer of format 2."""

    @property
    def kind(self) -> str:
        """`compiled`."""

    def add(self, text: str, scores: "array[float]", /) -> tuple[int, int]:
        """As `inference.model.ngrams.Ngrams.add`."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]:
        """Every occurrence of a known term in the prepared text, and the length of the text's vector."""


class WordNgrams:
    """Reads texts as `inference.model.ngrams.Ngrams` does, with the compiled scorer.

    Args:
        part: the numbers of the vectorizer.
        weights: the same numbers for the compiled scorer, as `word_model` returns them.
        settings: what `word_model` returns with them.
        make_scorer: makes the compiled scorer.
    """

    def __init__(
        self,
        part: NgramWeights,
        weights: Weights,
        settings: WordSettings,
        make_scorer: Callable[[Weights, WordSettings], WordScorer],
    ) -> None:
        self._part = part
        self._scorer = make_scorer(weights, settings)
        self.kind: Final = self._scorer.kind
        self.add: Final = self._scorer.add

    def occurrences(self, text: str) -> tuple[list[Occurrence], dict[int, float]]:
        """Every occurrence of a known term in the prepared text, and for each of these terms the value of one."""
        found, _ = self._scorer.occurrences(text)
        return found, values_of_one(self._part, [occurrence.term for occurrence in found])


def word_model(part: NgramWeights) -> tuple[Weights, WordSettings] | None:
    """The same vectorizer for the compiled scorer, or None if its n-grams, pattern or terms need the general code."""
    features, shortest = part.features, shortest_word(part.features.pattern)
    if features.analyzer != "word" or features.hashing or features.ngram_range[1] > _LONGEST or shortest is None:
        return None
    names = "\n".join(map(part.term, range(len(part.idf))))
    if _NAMES.fullmatch(names) is None:  # no token has such a name; but one with a line break would be two
        return None
    stop_words = tuple(sorted({word.encode() for word in features.stop_words if _WORD.fullmatch(word)}))
    no_priors = array("d", bytes(part.scores * array("d").itemsize))
    weights = Weights(names.encode(), part.idf, part.weights, no_priors, bigrams=features.ngram_range[1] > 1)
    return weights, WordSettings(features, shortest, stop_words, part.binarize_above)


def shortest_word(pattern: str | None) -> int | None:
    r"""The length of the shortest run of word characters that is a token; None if the pattern finds other tokens.

    Args:
        pattern: a token pattern such as `\b\w\w+\b`; None: scikit-learn's default.
    """
    if pattern is None:
        return 2
    found = _SHORTEST.fullmatch(pattern)
    return len(found["more"]) // 2 + 1 if found else None
