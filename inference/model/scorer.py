"""The reference scorer: TF-IDF and multinomial naive Bayes over a hash map, in the standard library alone.

`inference.model._scorer` is the same in compiled code and gives the same answers; this module defines them, and is used
where the extension could not be built. The answers equal those of scikit-learn's `TfidfVectorizer` and `MultinomialNB`:

- tokens are the runs of two or more letters, digits and underscores of the text in lower case;
- terms are the tokens and, with bigrams, each pair of neighbours joined by a space;
- a text's vector is count times inverse document frequency of each known term, scaled to length 1;
- a label's score is its log prior plus the vector's product with the label's log probabilities of the terms.
"""

import math
import re
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import add
from typing import Final, NamedTuple

from inference.errors import ArtifactError, excerpt
from inference.model.lowercase import lower
from inference.model.tensors import Tensor, pack, unpack

LARGEST: Final = 1e100
"""No weight is larger: sums of a million of them, and squares, stay finite."""
TOKEN: Final = re.compile(r"\b\w\w+\b")
"""scikit-learn's default token pattern: a run of at least two word characters."""


class Weights(NamedTuple):
    """The numbers of a model with `n` terms and `k` labels; the first label is the reference.

    A label's push is its log probability minus the first label's: an answer depends on differences only.
    """

    terms: bytes
    """The `n` terms in UTF-8, one a line; a bigram is two tokens and a space."""
    idf: "array[float]"
    """`n` inverse document frequencies."""
    pushes: "array[float]"
    """`n` times `k - 1`: for each term, the push of every label except the first."""
    priors: "array[float]"
    """`k - 1` log prior odds of every label except the first, against the first."""
    bigrams: bool
    """Whether pairs of neighbours are terms."""


class Score(NamedTuple):
    """An answer: the probability of each label, the number of tokens, and how many of them are not terms."""

    probabilities: tuple[float, ...]
    words: int
    unknown_words: int


class Occurrence(NamedTuple):
    """A known term in a text: the term's index, and its span in the text in lower case."""

    term: int
    start: int
    end: int


class Contribution(NamedTuple):
    """One occurrence of a known term: characters `start` to `end` of the original text.

    `weight` is what the occurrence adds to the log odds of the predicted label against the runner-up: it speaks for the
    prediction above zero, against it below zero. The weights of a text and the prior add up to those log odds.
    """

    term: str
    start: int
    end: int
    weight: float


class Scorer:
    """Scores texts with `weights`. Accepts any string and never raises."""

    kind: Final = "python"

    def __init__(self, weights: Weights) -> None:
        self._vocabulary = {term: index for index, term in enumerate(weights.terms.decode().split("\n"))}
        self._weights = weights

    def score(self, text: str) -> Score:
        """The probability of each label, in the labels' order."""
        tokens = TOKEN.findall(lower(text))
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
        for token in TOKEN.finditer(lower(text)):
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
    """Probabilities of all labels from the log odds of every label except the first."""
    highest = max(0.0, *log_odds)
    shares = [math.exp(-highest), *(math.exp(odds - highest) for odds in log_odds)]
    whole = total(shares)
    return tuple(share / whole for share in shares)


def total(numbers: Iterable[float]) -> float:
    """The sum, added from left to right as compiled code does; from Python 3.12 on `sum` compensates for rounding."""
    return reduce(add, numbers, 0.0)


def pack_weights(weights: Weights) -> bytes:
    """The weights as a safetensors file, the same bytes for the same weights."""
    terms, others = len(weights.idf), len(weights.priors)
    return pack(
        {
            "terms": Tensor("U8", (len(weights.terms),), weights.terms),
            "idf": Tensor.from_doubles(weights.idf, (terms,)),
            "pushes": Tensor.from_doubles(weights.pushes, (terms, others)),
            "priors": Tensor.from_doubles(weights.priors, (others,)),
        }
    )


def unpack_weights(content: bytes, *, labels: int, terms: int, bigrams: bool) -> Weights:
    """Read what `pack_weights` wrote, checked against the manifest's numbers of `labels` and `terms`.

    Raises:
        ArtifactError: a tensor is missing, has another shape, or holds numbers that cannot give probabilities.
    """
    tensors = unpack(content)
    shapes = {"idf": (terms,), "pushes": (terms, labels - 1), "priors": (labels - 1,)}
    for name in ("terms", *shapes):
        if name not in tensors:
            raise ArtifactError(f"the weights have no tensor {name!r}; train the model again")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            found = excerpt(list(tensors[name].shape))
            raise ArtifactError(f"tensor {name!r} of the weights has shape {found}, the manifest says {list(shape)}")
    numbers = {name: tensors[name].doubles() for name in shapes}
    for name, values in numbers.items():
        _check_range(name, values, smallest=1 / LARGEST if name == "idf" else -LARGEST)
    text = bytes(tensors["terms"].data)
    _check_terms(text, terms)
    return Weights(text, numbers["idf"], numbers["pushes"], numbers["priors"], bigrams)


def _check_range(name: str, values: "array[float]", *, smallest: float) -> None:
    """Refuse numbers outside the range in which no sum overflows and no vector has length zero."""
    # `min` and `max` pass over NaN; a sum does not.
    if values and not (smallest <= min(values) and max(values) <= LARGEST and not math.isnan(sum(values))):
        raise ArtifactError(
            f"tensor {name!r} of the weights holds a number that is not between {smallest:g} and {LARGEST:g}, so it "
            "cannot give probabilities; train the model again"
        )


def _check_terms(text: bytes, expected: int) -> None:
    found = text.count(b"\n") + 1
    if found != expected:
        raise ArtifactError(f"the weights have {found} terms, the manifest says {expected}")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise ArtifactError(f"the terms of the weights are not UTF-8: {error.reason} at byte {error.start}") from error
