"""The numbers of a model of format 2, and the file that holds them."""

import math
import re
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from typing import Final, NamedTuple

from inference.errors import ArtifactError, excerpt
from inference.model.links import Calibrators
from inference.model.manifest import LinearManifest, NgramFeatures
from inference.model.ngrams import NgramWeights, compile_pattern
from inference.model.scorer import LARGEST
from inference.model.tensors import Tensor, pack, unpack

_AGAIN: Final = "import the model again"


class LinearWeights(NamedTuple):
    """The numbers of a model of format 2."""

    parts: tuple[NgramWeights, ...]
    bias: "array[float]"
    """What is added to each score."""
    link: str
    """As in `inference.model.manifest.LinearClassifier`."""
    labels: int
    calibrators: Calibrators | None = None


def pack_linear(weights: LinearWeights) -> bytes:
    """The weights as a safetensors file, the same bytes for the same weights."""
    tensors = {"bias": Tensor.from_doubles(weights.bias, (len(weights.bias),))}
    for index, part in enumerate(weights.parts):
        terms = len(part.idf)
        tensors |= {
            f"idf.{index}": Tensor.from_doubles(part.idf, (terms,)),
            f"weights.{index}": Tensor.from_doubles(part.weights, (terms, part.scores)),
        }
        if part.features.hashing:
            tensors[f"rows.{index}"] = Tensor.from_integers(part.ends, (len(part.ends),))
        else:
            text = part.terms.encode("utf-8", "surrogatepass")
            tensors[f"terms.{index}"] = Tensor("U8", (len(text),), text)
            tensors[f"ends.{index}"] = Tensor.from_integers(part.ends, (terms,))
    if weights.calibrators:
        _, _, x, y, ends = weights.calibrators
        tensors["calibrators.x"] = Tensor.from_doubles(x, (len(x),))
        tensors["calibrators.y"] = Tensor.from_doubles(y, (len(y),))
        tensors["calibrators.ends"] = Tensor.from_integers(ends, (len(ends),))
    return pack(tensors)


def unpack_linear(content: bytes, manifest: LinearManifest) -> LinearWeights:
    """Read what `pack_linear` wrote, checked against the manifest.

    Raises:
        ArtifactError: a tensor is missing, has another shape, or holds numbers that cannot give probabilities.
    """
    classifier, labels = manifest.classifier, len(manifest.labels)
    if (classifier.link == "calibrated") != (classifier.calibration is not None):
        raise ArtifactError(f"the manifest has the link {classifier.link!r} and no matching calibration; {_AGAIN}")
    if classifier.scores != classifier.expected_scores(labels):
        raise ArtifactError(
            f"the manifest has {classifier.scores} scores for {labels} labels, {classifier.link} requires "
            f"{classifier.expected_scores(labels)}; {_AGAIN}"
        )
    tensors = unpack(content)
    parts = []
    for index, features in enumerate(manifest.vectorizer.features):
        _check_features(features)
        terms, ends = _names(tensors, index, features)
        parts.append(
            NgramWeights(
                features=features,
                terms=terms,
                ends=ends,
                idf=_doubles(tensors, f"idf.{index}", (features.terms,)),
                weights=_doubles(tensors, f"weights.{index}", (features.terms, classifier.scores)),
                scores=classifier.scores,
                binarize_above=classifier.binarize_above,
            )
        )
    bias = _doubles(tensors, "bias", (classifier.scores,))
    return LinearWeights(tuple(parts), bias, classifier.link, labels, _calibrators(tensors, manifest))


def _names(tensors: dict[str, Tensor], index: int, features: NgramFeatures) -> tuple[str, "array[int]"]:
    if features.hashing is None:
        ends = _tensor(tensors, f"ends.{index}", (features.terms,)).integers()
        return _check_terms(bytes(_tensor(tensors, f"terms.{index}", None).data), ends), ends
    rows = _tensor(tensors, f"rows.{index}", (features.hashing.buckets,)).integers()
    if max(rows) >= features.terms:
        raise ArtifactError(f"a bucket has row {max(rows)}, the manifest says {features.terms} rows; {_AGAIN}")
    return "", rows


def _calibrators(tensors: dict[str, Tensor], manifest: LinearManifest) -> Calibrators | None:
    calibration, labels = manifest.classifier.calibration, len(manifest.labels)
    if calibration is None:
        return None
    ends = _tensor(tensors, "calibrators.ends", (calibration.members * calibration.calibrators(labels),)).integers()
    x = _doubles(tensors, "calibrators.x", (ends[-1],))
    y = _doubles(tensors, "calibrators.y", (ends[-1],))
    calibrators = Calibrators(calibration, labels, x, y, ends)
    for own_x, own_y in calibrators.numbers():
        if calibration.method == "sigmoid":
            valid = len(own_x) == 1
        else:
            valid = len(own_x) > 0 and all(map(float.__lt__, own_x, own_x[1:])) and 0 <= min(own_y) <= max(own_y) <= 1
        if not valid:
            raise ArtifactError(f"a calibrator's numbers are not those of a {calibration.method} calibrator; {_AGAIN}")
    return calibrators


def _tensor(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...] | None) -> Tensor:
    if name not in tensors:
        raise ArtifactError(f"the weights have no tensor {name!r}; {_AGAIN}")
    if shape is not None and tensors[name].shape != shape:
        found = excerpt(list(tensors[name].shape))
        raise ArtifactError(f"tensor {name!r} of the weights has shape {found}, the manifest says {list(shape)}")
    return tensors[name]


def _doubles(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...]) -> "array[float]":
    values = _tensor(tensors, name, shape).doubles()
    if not (min(values) >= -LARGEST and max(values) <= LARGEST and not math.isnan(sum(values))):
        raise ArtifactError(
            f"tensor {name!r} of the weights holds a number beyond {LARGEST:g}, so it cannot give probabilities; "
            f"{_AGAIN}"
        )
    return values


def _check_terms(encoded: bytes, ends: "array[int]") -> str:
    try:
        text = encoded.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ArtifactError(f"the terms of the weights are not UTF-8: {error.reason} at byte {error.start}") from error
    if ends[-1] != len(text) or any(map(int.__gt__, ends, ends[1:])):
        raise ArtifactError(f"the ends of the terms do not divide them; {_AGAIN}")
    return text


def _check_features(features: NgramFeatures) -> None:
    if features.ngram_range[0] > features.ngram_range[1]:
        raise ArtifactError(f"the manifest has the n-gram range {list(features.ngram_range)}; {_AGAIN}")
    if features.pattern is not None:
        try:
            groups = compile_pattern(features.pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ArtifactError(f"the token pattern is not a regular expression: {excerpt(error)}") from error
        if groups > 1:
            raise ArtifactError(f"the token pattern has {groups} groups, at most one is allowed; {_AGAIN}")
