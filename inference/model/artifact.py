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
from typing import Any, Final

import msgspec

from inference.errors import ArtifactError
from inference.model.manifest import (
    MANIFEST_FILE,
    WEIGHTS_FILE,
    Baseline,
    Data,
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

    manifest: TfidfManifest | LinearManifest
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
    vectorizer: Vectorizer | NgramVectorizer,
    classifier: LinearClassifier | None = None,
    data: Data,
    metrics: HoldoutMetrics | None,
    baseline: Baseline | None,
    versions: dict[str, str],
) -> Artifact:
    """Make an artifact of the weights and of their description: format 2 has a `classifier`, format 1 has not."""
    common: dict[str, Any] = {
        "name": name,
        "labels": labels,
        "weights": WeightsFile(file=WEIGHTS_FILE, sha256=hashlib.sha256(weights).hexdigest(), bytes=len(weights)),
        "data": data,
        "metrics": metrics,
        "baseline": baseline,
        "versions": versions,
    }
    manifest: TfidfManifest | LinearManifest
    if isinstance(vectorizer, NgramVectorizer):
        assert classifier is not None  # noqa: S101 - the two parts of format 2
        manifest = LinearManifest(format=2, vectorizer=vectorizer, classifier=classifier, **common)
    else:
        manifest = TfidfManifest(format=1, vectorizer=vectorizer, **common)
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


def _check_weights(expected: WeightsFile, weights: bytes) -> None:
    if len(weights) != expected.bytes:
        raise ArtifactError(
            f"{WEIGHTS_FILE} has {len(weights)} bytes, the manifest says {expected.bytes}: it is truncated or changed"
        )
    found = hashlib.sha256(weights).hexdigest()
    if found != expected.sha256:
        raise ArtifactError(f"{WEIGHTS_FILE} has SHA-256 {found}, the manifest says {expected.sha256}: it was changed")
