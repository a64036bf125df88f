"""A model as data: `manifest.json` describes the model and seals the file with its weights.

The digest of a model is the SHA-256 of the manifest's bytes, and the manifest holds the SHA-256 of the weights, so the
digest identifies every byte. Neither file holds a time stamp: the same training gives the same digest.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from inference.errors import ArtifactError
from inference.model.manifest import (
    MANIFEST_FILE,
    WEIGHTS_FILE,
    AnyManifest,
    Baseline,
    Data,
    Example,
    HoldoutMetrics,
    LinearClassifier,
    LinearManifest,
    NgramVectorizer,
    TfidfManifest,
    Vectorizer,
    WeightsFile,
    read_manifest,
)

VERSION_LENGTH: Final = 12
"""The version of a model is this many hexadecimal digits of its digest."""
MAX_WEIGHTS_BYTES: Final = 2**31
"""A larger weights file is not read: the terms of a model must fit 31 bits."""


@dataclass(frozen=True)
class Artifact:
    """The two files of a model, checked against each other."""

    manifest: AnyManifest
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
        """Both files by name, the manifest last."""
        return {self.manifest.weights.file: self.weights, MANIFEST_FILE: self.manifest_bytes}


def seal(
    weights: bytes,
    *,
    name: str,
    labels: tuple[str, ...],
    vectorizer: Vectorizer | NgramVectorizer,
    classifier: LinearClassifier | None = None,
    data: Data,
    metrics: HoldoutMetrics | None,
    baseline: Baseline | None,
    versions: dict[str, str],
    examples: tuple[Example, ...] = (),
) -> Artifact:
    """Make an artifact of the weights and of their description: format 2 has a `classifier`, format 1 has not."""
    common: dict[str, Any] = {
        "name": name,
        "labels": labels,
        "weights": sealed(WEIGHTS_FILE, weights),
        "data": data,
        "metrics": metrics,
        "baseline": baseline,
        "versions": versions,
        "examples": examples,
    }
    manifest: TfidfManifest | LinearManifest
    if isinstance(vectorizer, NgramVectorizer):
        assert classifier is not None  # noqa: S101 - the two parts of format 2
        manifest = LinearManifest(format=2, vectorizer=vectorizer, classifier=classifier, **common)
    else:
        manifest = TfidfManifest(format=1, vectorizer=vectorizer, **common)
    return from_manifest(manifest, weights)


def sealed(file: Literal["weights.safetensors", "model.onnx"], content: bytes) -> WeightsFile:
    """What the manifest says about the file with the weights."""
    return WeightsFile(file=file, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def from_manifest(manifest: AnyManifest, weights: bytes) -> Artifact:
    """The artifact of a manifest that seals `weights`: the same content, the same bytes."""
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
    for name, content in artifact.files().items():
        temporary = directory / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(directory / name)


def read(files: Mapping[str, bytes], *, expected_digest: str | None = None) -> Artifact:
    """Check both files against each other, and against `expected_digest` (64 hexadecimal digits) if it is given.

    Raises:
        ArtifactError: a file is missing, truncated or changed, or this service does not read its format.
    """
    manifest_bytes = _file(files, MANIFEST_FILE)
    manifest = read_manifest(manifest_bytes, expected_digest=expected_digest)
    weights = _file(files, manifest.weights.file)
    _check_weights(manifest.weights, weights)
    return Artifact(manifest, manifest_bytes, weights)


def read_directory(directory: Path, *, expected_digest: str | None = None) -> Artifact:
    """Read what `write` wrote.

    Raises:
        ArtifactError: as `read`, or the folder cannot be read; the message names the folder.
    """
    files = {MANIFEST_FILE: _read(directory / MANIFEST_FILE)}
    try:
        name = read_manifest(files[MANIFEST_FILE]).weights.file
        return read({**files, name: _read(directory / name)}, expected_digest=expected_digest)
    except ArtifactError as error:
        raise ArtifactError(error if str(error).startswith(str(directory)) else f"{directory}: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror or error}; train or publish it") from error


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise ArtifactError(f"the model has no {name}; train or publish it again")
    return bytes(files[name])


def _check_weights(expected: WeightsFile, weights: bytes) -> None:
    if len(weights) != expected.bytes:
        raise ArtifactError(
            f"{expected.file} has {len(weights)} bytes, the manifest says {expected.bytes}: it is truncated or changed"
        )
    found = hashlib.sha256(weights).hexdigest()
    if found != expected.sha256:
        raise ArtifactError(f"{expected.file} has SHA-256 {found}, the manifest says {expected.sha256}: it was changed")
