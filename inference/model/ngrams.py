"""The reference for n-gram features: text to counted n-grams to a vector, as scikit-learn's vectorizers do it.

`inference.model._ngrams` does the same in compiled code; this module defines the result, and is used if the extension
was not built. `prepare` and `tokens` serve both.
"""

import math
import re
import unicodedata
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from inference.model.hashing import bucket_key, bucket_of
from inference.model.lowercase import SLICE_CHARACTERS, lower
from inference.model.manifest import NgramFeatures
from inference.model.scorer import TOKEN, Occurrence, total

_BLANKS: Final = re.compile(r"\s\s+")
_FEW: Final = 8
"""Most different combining marks of a text that are removed one after the other, which is faster."""


class NgramWeights(NamedTuple):
    """The numbers of one vectorizer with `n` terms, for a classifier with `m` scores.

    With a hashed vocabulary terms have no names: a term is a bucket, and `n` rows of numbers serve all of them.
    """

    features: NgramFeatures
    terms: str
    """The `n` terms, one after the other; empty with a hashed vocabulary."""
    ends: "array[int]"
    """Where each term ends in `terms`, in characters; with a hashed vocabulary, the row of each bucket."""
    idf: "array[float]"
    """`n` inverse document frequencies; all 1 without them."""
    weights: "array[float]"
    """`n` times `m`: for each term what it adds to each score."""
    scores: int
    """`m`."""
    binarize_above: float | None
    """A feature counts as 1 above this value, otherwise as 0; None: as its value."""

    def term(self, index: int) -> str:
        """The term with this index, of a vocabulary that is not hashed."""
        return self.terms[self.ends[index - 1] if index else 0 : self.ends[index]]

    def row(self, key: int) -> int:
        """The row of numbers of a term or, with a hashed vocabulary, of the key of a bucket."""
        return key if self.features.hashing is None else self.ends[bucket_of(key)]


class Ngrams:
    """Reads texts with `weights`. Accepts any string.

    A term is known by its key: its index or, with a hashed vocabulary, what `bucket_key` returns.
    """

    kind: Final = "python"

    def __init__(self, weights: NgramWeights) -> None:
        self._weights = weights
        self._hashing = weights.features.hashing
        self._vocabulary = {} if self._hashing else {weights.term(index): index for index in range(len(weights.idf))}

    def add(self, text: str, scores: "array[float]") -> tuple[int, int]:
        """Add what the text adds to each score.

        Returns:
            The number of n-grams of the smallest size, and how many of them are not terms.
        """
        found = []
        words = unknown = 0
        for ngram, _, _, smallest in _ngrams(self._weights.features, prepare(self._weights.features, text)):
            key = self._key(ngram)
            words += smallest
            unknown += smallest and self._is_unknown(key)
            if key is not None:
                found.append(key)
        vector, part = text_vector(self._weights, found), self._weights
        for score in range(part.scores):
            products = (value * part.weights[part.row(term) * part.scores + score] for term, value in vector.items())
            scores[score] += total(products)
        return words, unknown

    def occurrences(self, text: str) -> tuple[list[Occurrence], dict[int, float]]:
        """Every occurrence of a known term in the prepared text, and for each of their keys the value of one."""
        ngrams = _ngrams(self._weights.features, prepare(self._weights.features, text))
        found = [
            Occurrence(key, start, end) for ngram, start, end, _ in ngrams if (key := self._key(ngram)) is not None
        ]
        return found, values_of_one(self._weights, [occurrence.term for occurrence in found])

    def _key(self, ngram: str) -> int | None:
        if self._hashing:
            return bucket_key(ngram, self._hashing.buckets, alternate_sign=self._hashing.alternate_sign)
        return self._vocabulary.get(ngram)

    def _is_unknown(self, key: int | None) -> bool:
        return key is None or bool(self._hashing and self._hashing.unseen and self._weights.row(key) == 0)


def text_vector(weights: NgramWeights, keys: Iterable[int]) -> dict[int, float]:
    """The vector of a text in which the terms with these keys occur, by term or bucket."""
    features, threshold = weights.features, weights.binarize_above
    values = {}
    for term, count in _counts(weights, keys).items():
        frequency = 1.0 if features.binary else 1 + math.log(count) if features.sublinear_tf else float(count)
        values[term] = frequency * weights.idf[weights.row(term)]
    length = _length(features.norm, values)
    return {
        term: value / length if threshold is None else float(value / length > threshold)
        for term, value in values.items()
    }


def values_of_one(weights: NgramWeights, keys: Sequence[int]) -> dict[int, float]:
    """For each of the keys what one of its occurrences adds to the vector of the text."""
    vector, counts = text_vector(weights, keys), _counts(weights, keys)
    if weights.features.hashing is None:
        return {term: value / counts[term] for term, value in vector.items()}
    signed = not weights.features.binary and weights.binarize_above is None
    occurrences = Counter(map(bucket_of, keys))
    values = {}
    for key in set(keys):
        bucket = bucket_of(key)
        share = (1 if key >= 0 else -1) / (counts[bucket] or 1) if signed else 1 / occurrences[bucket]
        values[key] = vector[bucket] * share
    return values


def _counts(weights: NgramWeights, keys: Iterable[int]) -> Counter[int]:
    if weights.features.hashing is None:
        return Counter(keys)
    counts: Counter[int] = Counter()
    for key in keys:
        counts[bucket_of(key)] += 1 if key >= 0 else -1
    return counts


def prepare(features: NgramFeatures, text: str) -> str:
    """The text as its n-grams are read from it; for `char_wb` each word has a blank on both sides."""
    if features.lowercase:
        text = lower(text)
    if features.strip_accents and not text.isascii():
        text = _strip_accents(features.strip_accents, text)
    if features.analyzer == "char":
        return _join_blanks(text)
    if features.analyzer == "char_wb":
        return "".join([f" {word} " for word in text.split()])
    return text


def tokens(features: NgramFeatures, text: str) -> list[tuple[int, int]]:
    """The spans of the words of a prepared text, without stop words."""
    pattern = compile_pattern(features.pattern) if features.pattern is not None else TOKEN
    spans = [found.span(pattern.groups) for found in pattern.finditer(text)]
    spans = [span if span[0] >= 0 else (0, 0) for span in spans]
    if features.stop_words:
        stop_words = _as_set(features.stop_words)
        return [(start, end) for start, end in spans if text[start:end] not in stop_words]
    return spans


def origins(features: NgramFeatures, text: str) -> tuple[list[int], list[int]]:
    """For each character of the prepared text, where the characters that it comes from begin and end in `text`."""
    pieces = [(piece, place) for place, character in enumerate(text) for piece in _convert(features, character)]
    if features.analyzer == "word":
        return [place for _, place in pieces], [place + 1 for _, place in pieces]
    converted = "".join(piece for piece, _ in pieces)
    starts, ends = [], []
    if features.analyzer == "char":
        for found in re.finditer(r"\s\s+|(?s:.)", converted):
            starts.append(pieces[found.start()][1])
            ends.append(pieces[found.end() - 1][1] + 1)
        return starts, ends
    for found in re.finditer(r"\S+", converted):
        places = [place for _, place in pieces[found.start() : found.end()]]
        starts += [places[0], *places, places[-1] + 1]
        ends += [places[0], *(place + 1 for place in places), places[-1] + 1]
    return starts, ends


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The token pattern, compiled.

    Raises:
        re.error: it is not a regular expression.
    """
    return re.compile(pattern)


@lru_cache(maxsize=8)
def _as_set(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(words)


def _convert(features: NgramFeatures, character: str) -> str:
    if features.lowercase:
        character = character.lower()
    if features.strip_accents and not character.isascii():
        character = _strip_accents(features.strip_accents, character)
    return character


def _join_blanks(text: str) -> str:
    """Replace each run of blanks by one, in slices, like `lower`; no slice ends inside a run."""
    slices: list[str] = []
    start = 0
    while start < len(text):
        end = start + SLICE_CHARACTERS
        while end < len(text) and text[end - 1].isspace() and text[end].isspace():
            end += 1
        slices.append(_BLANKS.sub(" ", text[start:end]))
        start = end
    return "".join(slices)


def _strip_accents(kind: str, text: str) -> str:
    """Convert in slices, like `lower`. No character depends on another: what normalization would reorder is removed."""
    slices = [text[start : start + SLICE_CHARACTERS] for start in range(0, len(text), SLICE_CHARACTERS)]
    return "".join([_strip_slice(kind, part) for part in slices])


def _strip_slice(kind: str, text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    if kind == "ascii":
        return decomposed.encode("ascii", "ignore").decode()
    marks = [character for character in set(decomposed) if unicodedata.combining(character)]
    if len(marks) > _FEW:
        return "".join([character for character in decomposed if not unicodedata.combining(character)])
    for mark in marks:
        decomposed = decomposed.replace(mark, "")
    return decomposed


def _ngrams(features: NgramFeatures, text: str) -> Iterator[tuple[str, int, int, bool]]:
    """Every n-gram of a prepared text, its span, and whether it is of the smallest size."""
    least, most = features.ngram_range
    if features.analyzer == "word":
        spans = tokens(features, text)
        words = [text[start:end] for start, end in spans]
        for size in range(least, most + 1):
            for first in range(len(words) - size + 1):
                last = first + size
                yield " ".join(words[first:last]), spans[first][0], spans[last - 1][1], size == least
        return
    regions = [(0, len(text))] if features.analyzer == "char" else _padded_words(text)
    for start, end in regions:
        for size in range(least, most + 1):
            for first in range(start, end - size + 1):
                yield text[first : first + size], first, first + size, size == least
        if features.analyzer == "char_wb" and end - start < least:
            yield text[start:end], start, end, True


def _padded_words(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = text.index(" ", start + 1) + 1
        yield start, end
        start = end


def _length(norm: str | None, values: dict[int, float]) -> float:
    measure: dict[str | None, Callable[[], float]] = {
        "l1": lambda: total(map(abs, values.values())),
        "l2": lambda: math.sqrt(total(value * value for value in values.values())),
        None: lambda: 1.0,
    }
    return measure[norm]() or 1.0
