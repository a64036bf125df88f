"""The reference scorer: TF-IDF and multinomial naive Bayes over a hash map, in the standard library alone.

`inference.model._scorer` is the same in compiled code and gives the same answers; this module defines them, and is used
where the extension could not be built. The answers are those of scikit-learn's `TfidfVectorizer` and `MultinomialNB`:

- tokens are the runs of two or more letters, digits and underscores of the text in lower case;
- terms are the tokens and, with bigrams, each pair of neighbours joined by a space;
- a text's vector is count times inverse document frequency of each known term, scaled to length 1;
- a label's score is its log prior plus the vector's product with the label's log probabilities of the terms.
"""

import math
import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import add
from typing import Final, NamedTuple

from inference.errors import ArtifactError
from inference.model.tensors import Tensor, pack, unpack

TOKEN: Final = re.compile(r"\b\w\w+\b")
"""What scikit-learn's default token pattern matches: a run of at least two word characters."""


class Weights(NamedTuple):
    """The numbers of a model with `n` terms and `k` labels, of which the first is the reference.

    A label's push is its log probability less the first label's: only differences matter to an answer.
    """

    terms: bytes
    """The `n` terms in UTF-8, one a line; a bigram is two tokens and a space."""
    idf: "array[float]"
    """`n` inverse document frequencies."""
    pushes: "array[float]"
    """`n` times `k - 1`: for each term the push of every label but the first."""
    priors: "array[float]"
    """`k - 1` log prior odds of every label but the first, against the first."""
    bigrams: bool
    """Whether pairs of neighbours are terms."""


class Score(NamedTuple):
    """What a scorer says of a text: each label's probability, its number of tokens and of those that are no term."""

    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class Occurrence(NamedTuple):
    """A known term in a text: the term's index, and its span in the text in lower case."""

    term: int
    start: int
    end: int


class Scorer:
    """Scores texts with `weights`. Any string is a text; nothing raises."""

    kind: Final = "python"

    def __init__(self, weights: Weights) -> None:
        self._vocabulary = {term: index for index, term in enumerate(weights.terms.decode().split("\n"))}
        self._weights = weights

    def score(self, text: str) -> Score:
        """The probability of each label, in the labels' order."""
        tokens = TOKEN.findall(text.lower())
        counts: Counter[int] = Counter()
        unknown = 0
        previous = ""
        for token in tokens:
            term = self._vocabulary.get(token)
            if term is None:
                unknown += 1
            else:
                counts[term] += 1
            if self._weights.bigrams and previous:
                pair = self._vocabulary.get(f"{previous} {token}")
                if pair is not None:
                    counts[pair] += 1
            previous = token
        return Score(softmax(self._log_odds(counts)), len(tokens), unknown)

    def occurrences(self, text: str) -> tuple[list[Occurrence], float]:
        """Every known term of the text, in the order in which they end, and the length of the text's vector."""
        found = list(self._find(text))
        counts = Counter(occurrence.term for occurrence in found)
        return found, math.sqrt(total((count * self._weights.idf[term]) ** 2 for term, count in counts.items()))

    def _find(self, text: str) -> Iterator[Occurrence]:
        previous: re.Match[str] | None = None
        for token in TOKEN.finditer(text.lower()):
            term = self._vocabulary.get(token[0])
            if term is not None:
                yield Occurrence(term, token.start(), token.end())
            if self._weights.bigrams and previous is not None:
                pair = self._vocabulary.get(f"{previous[0]} {token[0]}")
                if pair is not None:
                    yield Occurrence(pair, previous.start(), token.end())
            previous = token

    def _log_odds(self, counts: Counter[int]) -> list[float]:
        _, idf, pushes, priors, _ = self._weights
        others = len(priors)
        products = [0.0] * others
        squares = 0.0
        for term, count in counts.items():
            value = count * idf[term]
            squares += value * value
            for other in range(others):
                products[other] += value * pushes[term * others + other]
        length = math.sqrt(squares) or 1.0
        return [prior + product / length for prior, product in zip(priors, products, strict=True)]


def softmax(log_odds: list[float]) -> tuple[float, ...]:
    """Probabilities of all labels from the log odds of every label but the first."""
    highest = max(0.0, *log_odds)
    shares = [math.exp(-highest), *(math.exp(odds - highest) for odds in log_odds)]
    whole = total(shares)
    return tuple(share / whole for share in shares)


def total(numbers: Iterable[float]) -> float:
    """The sum, added up from left to right as compiled code does; `sum` does otherwise from Python 3.12 on."""
    return reduce(add, numbers, 0.0)


def pack_weights(weights: Weights) -> bytes:
    """The weights as a safetensors file, the same bytes for the same weights."""
    return pack(
        {
            "terms": Tensor("U8", (len(weights.terms),), weights.terms),
            "idf": Tensor("F64", (len(weights.idf),), _little_endian(weights.idf)),
            "pushes": Tensor("F64", (len(weights.idf), len(weights.priors)), _little_endian(weights.pushes)),
            "priors": Tensor("F64", (len(weights.priors),), _little_endian(weights.priors)),
        }
    )


def unpack_weights(content: bytes, *, labels: int, terms: int, bigrams: bool) -> Weights:
    """Read what `pack_weights` wrote, checked against the manifest's numbers of `labels` and `terms`.

    Raises:
        ArtifactError: a tensor is missing, of another shape, or holds what is no finite number.
    """
    tensors = unpack(content)
    shapes = {"idf": (terms,), "pushes": (terms, labels - 1), "priors": (labels - 1,)}
    for name in ("terms", *shapes):
        if name not in tensors:
            raise ArtifactError(f"the weights have no tensor {name!r}; train the model anew")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ArtifactError(
                f"tensor {name!r} has shape {list(tensors[name].shape)}, the manifest says {list(shape)}"
            )
    numbers = {name: tensors[name].doubles() for name in shapes}
    for name, values in numbers.items():
        if not all(map(math.isfinite, values)):
            raise ArtifactError(
                f"tensor {name!r} of the weights holds a number that is not finite; train the model anew"
            )
    text = bytes(tensors["terms"].data)
    _check_terms(text, terms)
    return Weights(text, numbers["idf"], numbers["pushes"], numbers["priors"], bigrams)


def _check_terms(text: bytes, expected: int) -> None:
    found = text.count(b"\n") + 1
    if found != expected:
        raise ArtifactError(f"the weights name {found} terms, the manifest says {expected}")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise ArtifactError(f"the weights' terms are not UTF-8: {error}") from error


def _little_endian(values: "array[float]") -> bytes:
    if sys.byteorder == "big":
        values = array("d", values)
        values.byteswap()
    return values.tobytes()
