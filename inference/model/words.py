"""Models of format 2 that the compiled scorer of format 1 can serve: words, or words and pairs of words."""

import re
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from typing import Final, NamedTuple

from inference.model.linear_weights import LinearWeights
from inference.model.manifest import NgramFeatures
from inference.model.ngrams import NgramWeights
from inference.model.scorer import Weights

_SHORTEST: Final = re.compile(r"(?:\(\?u\))?(?P<bound>\\b)?(?P<more>(?:\\w)*)\\w\+(?(bound)\\b)")
"""Token patterns that find runs of word characters of a least length, as people write them."""
_NAMES: Final = re.compile(r"\w+(?: \w+)?(?:\n\w+(?: \w+)?)*")
_WORD: Final = re.compile(r"\w+")


class WordSettings(NamedTuple):
    """What the scorer does differently for a model of format 2."""

    features: NgramFeatures
    shortest: int
    """Characters of the shortest word."""
    stop_words: tuple[bytes, ...]
    """In UTF-8."""
    binarize_above: float | None
    """As in `inference.model.ngrams.NgramWeights`."""
    link: str
    """As in `inference.model.manifest.LinearClassifier`."""


def word_model(weights: LinearWeights) -> tuple[Weights, WordSettings] | None:
    """The same model for the compiled scorer, or None if its n-grams, token pattern or terms need the general one."""
    part, features = weights.parts[0], weights.parts[0].features
    shortest = shortest_word(features.pattern)
    if (
        len(weights.parts) > 1
        or features.analyzer != "word"
        or features.hashing
        or features.ngram_range not in {(1, 1), (1, 2)}
        or shortest is None
    ):
        return None
    names = "\n".join(map(part.term, range(len(part.idf))))
    if _NAMES.fullmatch(names) is None:  # no token has such a name; but one with a line break would be two
        return None
    stop_words = tuple(sorted({word.encode() for word in features.stop_words if _WORD.fullmatch(word)}))
    settings = WordSettings(features, shortest, stop_words, part.binarize_above, weights.link)
    return _weights(part, names, weights.bias), settings


def _weights(part: NgramWeights, names: str, bias: "array[float]") -> Weights:
    return Weights(names.encode(), part.idf, part.weights, bias, bigrams=part.features.ngram_range == (1, 2))


def shortest_word(pattern: str | None) -> int | None:
    r"""The length of the shortest run of word characters that is a token; None if the pattern finds other tokens.

    Args:
        pattern: a token pattern such as `\b\w\w+\b`; None: scikit-learn's default.
    """
    if pattern is None:
        return 2
    found = _SHORTEST.fullmatch(pattern)
    return len(found["more"]) // 2 + 1 if found else None
