"""A model as data: `manifest.json` describes the model and seals `weights.safetensors`.

The digest of a model is the SHA-256 of the manifest's bytes, and the manifest holds the SHA-256 of the weights, so the
digest identifies every byte. Neither file holds a time stamp: the same training gives the same digest.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import msgspec

from inference.errors import ArtifactError, excerpt

FORMAT: Final = 1
MANIFEST_FILE: Final = "manifest.json"
WEIGHTS_FILE: Final = "weights.safetensors"
VERSION_LENGTH: Final = 12
"""The version of a model is this many hexadecimal digits of its digest."""
MAX_MANIFEST_BYTES: Final = 16 * 2**20
"""A larger manifest is not read. A thousand labels, whose confusion matrix has a million cells, fit."""
MAX_WEIGHTS_BYTES: Final = 2**31
"""A larger weights file is not read: the terms of a model must fit 31 bits."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the manifest."""


class Vectorizer(_Part, frozen=True):
    """How text becomes terms: the settings that the scorer implements, and no others."""

    lowercase: Literal[True]
    token_pattern: Literal[r"(?u)\b\w\w+\b"]
    ngram_range: tuple[Literal[1], Literal[1, 2]]
    norm: Literal["l2"]
    sublinear_tf: Literal[False]
    use_idf: Literal[True]
    terms: int


class WeightsFile(_Part, frozen=True):
    """Name, SHA-256 and length of the weights file."""

    file: Literal["weights.safetensors"]
    sha256: str
    bytes: int


class Data(_Part, frozen=True):
    """What the model was trained and measured on: `rows` distinct texts, `train_rows` of them seen in training."""

    source: str
    fingerprint: str
    rows: int
    train_rows: int


class LabelMetrics(_Part, frozen=True):
    """How well the model recognizes one label, on the hold-out; shares are 0 to 1."""

    precision: float
    recall: float
    f1: float
    support: int


class CalibrationBin(_Part, frozen=True):
    """Hold-out texts whose confidence lies in one interval, with their mean confidence and their accuracy."""

    confidence: float
    accuracy: float
    texts: int


class Calibration(_Part, frozen=True):
    """`expected_error` is the mean difference between confidence and accuracy over `bins`, weighted by texts."""

    expected_error: float
    bins: tuple[CalibrationBin, ...]


class HoldoutMetrics(_Part, frozen=True):
    """The hold-out report. `confusion[i][j]` counts texts of label i that were classified as label j."""

    holdout_rows: int
    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    labels: dict[str, LabelMetrics]
    calibration: Calibration
    confusion: tuple[tuple[int, ...], ...]


class Baseline(_Part, frozen=True):
    """Means over the hold-out; live traffic is compared with them to see drift."""

    confidence: float
    unknown_words_ratio: float
    length_characters: float


class Manifest(_Part, frozen=True):
    """The content of `manifest.json`."""

    format: int
    name: str
    labels: tuple[str, ...]
    vectorizer: Vectorizer
    weights: WeightsFile
    data: Data
    metrics: HoldoutMetrics
    baseline: Baseline
    versions: dict[str, str]


class _Format(msgspec.Struct):
    format: int


@dataclass(frozen=True)
class Artifact:
    """The two files of a model, checked against each other."""

    manifest: Manifest
    manifest_bytes: bytes
    weights: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest, 64 hexadecimal digits."""
        return hashlib.sha256(self.manifest_bytes).hexdigest()

    @property
    def version(self) -> str:
        """The first digits of the digest."""
        return self.digest[:VERSION_LENGTH]

    def files(self) -> dict[str, bytes]:
        """Both files by name."""
        return {MANIFEST_FILE: self.manifest_bytes, WEIGHTS_FILE: self.weights}


def seal(
    weights: bytes,
    *,
    name: str,
    labels: tuple[str, ...],
    vectorizer: Vectorizer,
    data: Data,
    metrics: HoldoutMetrics,
    baseline: Baseline,
    versions: dict[str, str],
) -> Artifact:
    """Make an artifact of the weights and of their description."""
    manifest = Manifest(
        format=FORMAT,
        name=name,
        labels=labels,
        vectorizer=vectorizer,
        weights=WeightsFile(file=WEIGHTS_FILE, sha256=hashlib.sha256(weights).hexdigest(), bytes=len(weights)),
        data=data,
        metrics=metrics,
        baseline=baseline,
        versions=versions,
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
    return Artifact(manifest, encoded, weights)


def check_output(directory: Path) -> None:
    """Check that `write` can write into `directory`, before the work that makes an artifact.

    Raises:
        ArtifactError: it is not a folder, or not writable.
    """
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise ArtifactError(f"cannot write to {directory}: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ArtifactError(f"cannot write to {directory}: {existing} is not writable")


def write(directory: Path, artifact: Artifact) -> None:
    """Write both files into `directory`, created if missing; the manifest last, so that it is never there alone."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS_FILE, MANIFEST_FILE):
        temporary = directory / f".{name}.part"
        temporary.write_bytes(artifact.files()[name])
        temporary.replace(directory / name)


def read(files: Mapping[str, bytes], *, expected_digest: str | None = None) -> Artifact:
    """Check both files against each other, and against `expected_digest` (64 hexadecimal digits) if it is given.

    Raises:
        ArtifactError: a file is missing, truncated or changed, or this service does not read its format.
    """
    for name in (MANIFEST_FILE, WEIGHTS_FILE):
        if name not in files:
            raise ArtifactError(f"the model has no {name}; train or publish it again")
    manifest_bytes, weights = bytes(files[MANIFEST_FILE]), bytes(files[WEIGHTS_FILE])
    manifest = read_manifest(manifest_bytes, expected_digest=expected_digest)
    _check_weights(manifest.weights, weights)
    return Artifact(manifest, manifest_bytes, weights)


def read_directory(directory: Path, *, expected_digest: str | None = None) -> Artifact:
    """Read what `write` wrote.

    Raises:
        ArtifactError: as `read`, or the folder cannot be read.
    """
    files = {}
    for name in (MANIFEST_FILE, WEIGHTS_FILE):
        try:
            files[name] = (directory / name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"{directory / name}: {error.strerror or error}; train or publish it") from error
    return read(files, expected_digest=expected_digest)


def read_manifest(content: bytes, *, expected_digest: str | None = None) -> Manifest:
    """Check the manifest alone, and against `expected_digest` (64 hexadecimal digits) if it is given.

    Raises:
        ArtifactError: it belongs to another model, or this service does not read its format.
    """
    digest = hashlib.sha256(content).hexdigest()
    if expected_digest is not None and digest != expected_digest:
        raise ArtifactError(f"{MANIFEST_FILE} has digest {digest}, expected {expected_digest}: it is not that model")
    manifest = _decode(content)
    labels = manifest.labels
    if len(set(labels)) != len(labels) or len(labels) < 2:  # noqa: PLR2004 - a classifier has a choice
        raise ArtifactError(
            f"{MANIFEST_FILE} has labels {excerpt(list(labels))}; two or more distinct ones are required"
        )
    return manifest


def _decode(content: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found == FORMAT:
            return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{MANIFEST_FILE} cannot be read: {excerpt(error)}") from error
    hint = "deploy a newer image" if found > FORMAT else "train the model again"
    raise ArtifactError(f"{MANIFEST_FILE} has format {excerpt(found)}, this service reads format {FORMAT}; {hint}")


def _check_weights(expected: WeightsFile, weights: bytes) -> None:
    if len(weights) != expected.bytes:
        raise ArtifactError(
            f"{WEIGHTS_FILE} has {len(weights)} bytes, the manifest says {expected.bytes}: it is truncated or changed"
        )
    found = hashlib.sha256(weights).hexdigest()
    if found != expected.sha256:
        raise ArtifactError(f"{WEIGHTS_FILE} has SHA-256 {found}, the manifest says {expected.sha256}: it was changed")
