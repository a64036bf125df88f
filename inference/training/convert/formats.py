"""Write what was read from a pipeline in format 1, which is the fastest, or in format 2, which has all settings."""

import re
from array import array
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import structs

from inference.model.linear_weights import LinearWeights, pack_linear
from inference.model.links import Calibrators
from inference.model.manifest import LinearClassifier, NgramVectorizer, Vectorizer
from inference.model.ngrams import NgramWeights
from inference.model.scorer import LARGEST, Weights, pack_weights
from inference.training.convert.blocks import Array, Block
from inference.training.convert.classifiers import Linear
from inference.training.convert.vectorizers import DEFAULT_PATTERN

_MANY: Final = 10
"""A row that at least a tenth of the buckets share is that of the buckets that no training text filled."""


class Conversion(NamedTuple):
    """A pipeline as data: what `inference.model.artifact.seal` takes."""

    labels: tuple[str, ...]
    vectorizer: Vectorizer | NgramVectorizer
    classifier: LinearClassifier | None
    weights: bytes


def write_formats(labels: tuple[str, ...], blocks: list[Block], linear: Linear) -> Conversion:
    """The pipeline in the fastest format that has its settings."""
    return _simple(labels, blocks, linear) or _general(labels, blocks, linear)


def _simple(labels: tuple[str, ...], blocks: list[Block], linear: Linear) -> Conversion | None:
    block, features = blocks[0], blocks[0].features
    fixed = structs.replace(
        features, analyzer="word", lowercase=True, strip_accents=None, pattern=None, stop_words=(), binary=False,
        sublinear_tf=False, norm="l2", hashing=None,
    )  # fmt: skip
    if (
        len(blocks) > 1
        or features != fixed
        or features.ngram_range not in {(1, 1), (1, 2)}
        or linear.link != "softmax"
        or linear.binarize_above is not None
        or np.any(block.idf < 1 / LARGEST)
        or any(re.fullmatch(r"\w+( \w+)?", term) is None for term in block.terms)
    ):
        return None
    weights = Weights(
        terms="\n".join(block.terms).encode(),
        idf=_doubles(block.idf),
        pushes=_doubles(_matrix(block, linear)),
        priors=_doubles(linear.bias),
        bigrams=features.ngram_range == (1, 2),
    )
    settings: dict[str, Any] = {
        "lowercase": True,
        "token_pattern": DEFAULT_PATTERN,
        "ngram_range": features.ngram_range,
        "norm": "l2",
    }
    vectorizer = Vectorizer(**settings, sublinear_tf=False, use_idf=True, terms=len(block.terms))
    return Conversion(labels, vectorizer, None, pack_weights(weights))


def _general(labels: tuple[str, ...], blocks: list[Block], linear: Linear) -> Conversion:
    parts = tuple(_hashed(block, linear) if block.features.hashing else _named(block, linear) for block in blocks)
    calibrators = _calibrators(len(labels), linear)
    weights = LinearWeights(parts, _doubles(linear.bias), linear.link, len(labels), calibrators)
    features = tuple(part.features for part in parts)
    vectorizer = NgramVectorizer(terms=sum(each.terms for each in features), features=features)
    link: Any = linear.link
    classifier = LinearClassifier(
        link=link,
        scores=len(linear.bias),
        binarize_above=linear.binarize_above,
        calibration=linear.calibration,
    )
    return Conversion(labels, vectorizer, classifier, pack_linear(weights))


def _named(block: Block, linear: Linear) -> NgramWeights:
    return NgramWeights(
        features=block.features,
        terms="".join(block.terms),
        ends=array("I", np.cumsum([len(term) for term in block.terms]).tolist()),
        idf=_doubles(block.idf),
        weights=_doubles(_matrix(block, linear)),
        scores=len(linear.bias),
        binarize_above=linear.binarize_above,
    )


def _hashed(block: Block, linear: Linear) -> NgramWeights:
    """Most buckets share one row, so each different row is written once; the row of most buckets is the first."""
    numbers = np.hstack([block.idf[:, None], _matrix(block, linear)])
    _, first, bucket_rows, counts = np.unique(
        numbers, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    rows = numbers[first[order]]
    hashing = block.features.hashing
    assert hashing  # noqa: S101 - the caller checks it
    unseen = bool(counts.max() * _MANY >= hashing.buckets and counts.max() > 1)
    hashing = structs.replace(hashing, unseen=unseen)
    return NgramWeights(
        features=structs.replace(block.features, terms=len(rows), hashing=hashing),
        terms="",
        ends=array("I", places[bucket_rows.ravel()].tolist()),
        idf=_doubles(rows[:, 0]),
        weights=_doubles(rows[:, 1:]),
        scores=len(linear.bias),
        binarize_above=linear.binarize_above,
    )


def _calibrators(labels: int, linear: Linear) -> Calibrators | None:
    if linear.calibration is None:
        return None
    x, y = (np.concatenate([pair[place] for pair in linear.points]) for place in (0, 1))
    ends = np.cumsum([len(pair[0]) for pair in linear.points])
    return Calibrators(linear.calibration, labels, _doubles(x), _doubles(y), array("I", ends.tolist()))


def _doubles(numbers: Array) -> "array[float]":
    return array("d", np.ascontiguousarray(numbers, np.float64).tobytes())


def _matrix(block: Block, linear: Linear) -> Array:
    """For each term of the block what it adds to each score; nothing if it was not selected."""
    selected = np.where(block.columns[:, None] >= 0, linear.coefficients.T[block.columns], 0.0)
    return selected * block.scale
