"""Linear models over n-grams (format 2): a score per label from each vectorizer, then probabilities."""

import math
import re
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from collections.abc import Callable, Iterator, Sequence
from heapq import nsmallest
from typing import Final, NamedTuple, Protocol

from inference.errors import ArtifactError, excerpt
from inference.model.manifest import LinearManifest, NgramFeatures
from inference.model.ngrams import Ngrams, NgramWeights, Part, compile_pattern, origins
from inference.model.scorer import LARGEST, Contribution, Occurrence, Score, softmax, total
from inference.model.tensors import Tensor, pack, unpack


class LinearWeights(NamedTuple):
    """The numbers of a model of format 2."""

    parts: tuple[NgramWeights, ...]
    bias: "array[float]"
    """What is added to each score."""
    link: str
    """As in `inference.model.manifest.LinearClassifier`."""


class TextNgrams(Protocol):
    """The interface of `inference.model.ngrams.Ngrams` and of the compiled version."""

    @property
    def kind(self) -> str:
        """`compiled` or `python`."""

    def score(self, text: str, /) -> Part:
        """What the text adds to each score."""

    def occurrences(self, text: str, /) -> tuple[list[Occurrence], dict[int, float]]:
        """Every occurrence of a known term in the prepared text, and for each of these terms the value of one."""


class LinearScorer:
    """Scores texts with `weights`. Accepts any string."""

    def __init__(self, weights: LinearWeights, make_ngrams: Callable[[NgramWeights], TextNgrams] = Ngrams) -> None:
        self._weights = weights
        self._ngrams = [make_ngrams(part) for part in weights.parts]
        self._link = LINKS[weights.link]
        self.kind: Final = self._ngrams[0].kind

    def score(self, text: str) -> Score:
        """The probability of each label; words are counted as the first vectorizer sees them."""
        first, *others = [ngrams.score(text) for ngrams in self._ngrams]
        scores = list(self._weights.bias)
        for part in (first, *others):
            scores = [score + added for score, added in zip(scores, part.scores, strict=True)]
        return Score(self._link(scores), first.words, first.unknown_words)

    def explain(self, text: str, label: int, rival: int, limit: int) -> list[Contribution]:
        """The `limit` occurrences that change the score of `label` against `rival` most, strongest first."""
        found = [
            found
            for ngrams, part in zip(self._ngrams, self._weights.parts, strict=True)
            for found in nsmallest(limit, self._contributions(text, ngrams, part, label, rival), key=_strongest_first)
        ]
        return nsmallest(limit, found, key=_strongest_first)

    def _contributions(
        self, text: str, ngrams: TextNgrams, part: NgramWeights, label: int, rival: int
    ) -> Iterator[Contribution]:
        found, values = ngrams.occurrences(text)
        starts, ends = origins(part.features, text)
        pushes = {term: value * self._difference(part, term, label, rival) for term, value in values.items()}
        for term, start, end in found:
            if end > start:
                yield Contribution(part.term(term), starts[start], ends[end - 1], pushes[term])

    def _difference(self, part: NgramWeights, term: int, label: int, rival: int) -> float:
        row = part.weights[term * part.scores : (term + 1) * part.scores]
        if self._weights.link == "softmax" or part.scores == 1:
            row.insert(0, 0.0)  # the first label has no score of its own
        return row[label] - row[rival]


def _strongest_first(found: Contribution) -> tuple[float, int, int]:
    return -abs(found.weight), found.start, found.end


def _sigmoids(scores: Sequence[float]) -> tuple[float, ...]:
    return _scaled([_sigmoid(score) for score in scores])


def _modified_huber(scores: Sequence[float]) -> tuple[float, ...]:
    shares = [(min(max(score, -1.0), 1.0) + 1) / 2 for score in scores]
    return (1 - shares[0], shares[0]) if len(shares) == 1 else _scaled(shares)


def _sigmoid(score: float) -> float:
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    power = math.exp(score)
    return power / (1 + power)


def _scaled(shares: list[float]) -> tuple[float, ...]:
    whole = total(shares)
    return tuple(share / whole for share in shares) if whole else (1 / len(shares),) * len(shares)


LINKS: Final[dict[str, Callable[[list[float]], tuple[float, ...]]]] = {
    "softmax": softmax,
    "sigmoid": _sigmoids,
    "modified_huber": _modified_huber,
}


def pack_linear(weights: LinearWeights) -> bytes:
    """The weights as a safetensors file, the same bytes for the same weights."""
    tensors = {"bias": Tensor.from_doubles(weights.bias, (len(weights.bias),))}
    for index, part in enumerate(weights.parts):
        terms, text = len(part.idf), part.terms.encode("utf-8", "surrogatepass")
        tensors |= {
            f"terms.{index}": Tensor("U8", (len(text),), text),
            f"ends.{index}": Tensor.from_integers(part.ends, (terms,)),
            f"idf.{index}": Tensor.from_doubles(part.idf, (terms,)),
            f"weights.{index}": Tensor.from_doubles(part.weights, (terms, part.scores)),
        }
    return pack(tensors)


def unpack_linear(content: bytes, manifest: LinearManifest) -> LinearWeights:
    """Read what `pack_linear` wrote, checked against the manifest.

    Raises:
        ArtifactError: a tensor is missing, has another shape, or holds numbers that cannot give probabilities.
    """
    classifier, labels = manifest.classifier, len(manifest.labels)
    two = 2
    expected = {"softmax": labels - 1, "sigmoid": labels, "modified_huber": 1 if labels == two else labels}
    if classifier.scores != expected[classifier.link]:
        raise ArtifactError(
            f"the manifest has {classifier.scores} scores for {labels} labels, {classifier.link} requires "
            f"{expected[classifier.link]}; import the model again"
        )
    tensors = unpack(content)
    parts = []
    for index, features in enumerate(manifest.vectorizer.features):
        _check_features(features)
        terms = _tensor(tensors, f"terms.{index}", None)
        ends = _tensor(tensors, f"ends.{index}", (features.terms,)).integers()
        parts.append(
            NgramWeights(
                features=features,
                terms=_check_terms(bytes(terms.data), ends),
                ends=ends,
                idf=_doubles(tensors, f"idf.{index}", (features.terms,)),
                weights=_doubles(tensors, f"weights.{index}", (features.terms, classifier.scores)),
                scores=classifier.scores,
                binarize_above=classifier.binarize_above,
            )
        )
    return LinearWeights(tuple(parts), _doubles(tensors, "bias", (classifier.scores,)), classifier.link)


def _tensor(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...] | None) -> Tensor:
    if name not in tensors:
        raise ArtifactError(f"the weights have no tensor {name!r}; import the model again")
    if shape is not None and tensors[name].shape != shape:
        found = excerpt(list(tensors[name].shape))
        raise ArtifactError(f"tensor {name!r} of the weights has shape {found}, the manifest says {list(shape)}")
    return tensors[name]


def _doubles(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...]) -> "array[float]":
    values = _tensor(tensors, name, shape).doubles()
    if not (min(values) >= -LARGEST and max(values) <= LARGEST and not math.isnan(sum(values))):
        raise ArtifactError(
            f"tensor {name!r} of the weights holds a number beyond {LARGEST:g}, so it cannot give probabilities; "
            "import the model again"
        )
    return values


def _check_terms(encoded: bytes, ends: "array[int]") -> str:
    try:
        text = encoded.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ArtifactError(f"the terms of the weights are not UTF-8: {error.reason} at byte {error.start}") from error
    if ends[-1] != len(text) or any(map(int.__gt__, ends, ends[1:])):
        raise ArtifactError("the ends of the terms do not divide them; import the model again")
    return text


def _check_features(features: NgramFeatures) -> None:
    if features.ngram_range[0] > features.ngram_range[1]:
        raise ArtifactError(f"the manifest has the n-gram range {list(features.ngram_range)}; import the model again")
    if features.pattern is not None:
        try:
            groups = compile_pattern(features.pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ArtifactError(f"the token pattern is not a regular expression: {excerpt(error)}") from error
        if groups > 1:
            raise ArtifactError(
                f"the token pattern has {groups} groups, at most one is allowed; import the model again"
            )
