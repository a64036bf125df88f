"""The published versions in a bucket: publish one, list them, and decide which is served and which came before.

Serving does not need this module; `inference.store.fetch` reads.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import ObjectStore

from inference.address import GRAMMAR, ModelUri
from inference.errors import StoreError, StoreUnavailableError
from inference.model.artifact import MAX_WEIGHTS_BYTES, read_directory
from inference.model.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, read_manifest
from inference.store.bucket import Bucket, StoreSettings
from inference.store.fetch import LATEST, MAX_LATEST_BYTES, parse_latest

_ATTEMPTS: Final = 5
_COMPARED: Final = ("accuracy", "macro_precision", "macro_recall", "macro_f1")


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The result of `publish`.

    Args:
        uri: the model's address, pinned.
        created: whether it was written; False: the same version had been published before.
    """

    uri: ModelUri
    created: bool


class MetricDrop(NamedTuple):
    """A hold-out metric that falls from `served` to `new`; shares, 0 to 1."""

    name: str
    served: float
    new: float


def publish(
    directory: Path, uri: str, settings: StoreSettings | None = None, *, store: ObjectStore | None = None
) -> Publication:
    """Write the artifact in `directory` to a bucket, and make it the newest version of its model.

    The weights are written first, then the manifest that names them, then `latest.json`: a reader sees the complete
    version or none, and the next run completes a publication that was interrupted.

    Args:
        directory: the folder that training wrote.
        uri: `s3://<bucket>/<tenant>/<name>`; a digest in it must be the artifact's.
        settings: how to reach the server; absent: from the environment.
        store: an opened bucket, instead of the one that the address and the settings name.

    Raises:
        ArtifactError: the directory does not hold a complete artifact.
        StoreError: the address does not name a bucket, the store refuses, or the version is there with other bytes.
        StoreUnavailableError: the store does not answer, or others keep publishing at the same moment.
    """
    address = _bucket_address(uri)
    artifact = read_directory(directory, expected_digest=address.digest)
    address = address.at(artifact.digest)
    bucket = Bucket.open(address.bucket, settings, store=store)
    created = _write_version(bucket, address, artifact.files())
    _set_latest(bucket, address)
    return Publication(uri=address, created=created)


def models(bucket: Bucket, tenant: str) -> tuple[ModelUri, ...]:
    """The published models of `tenant`, sorted by name.

    Raises:
        StoreError: as `inference.store.fetch.fetch`.
    """
    with bucket.explained("list", f"{tenant}/"):
        found = obstore.list_with_delimiter(bucket.store, f"{tenant}/")
    return tuple(ModelUri(bucket=bucket.name, path=prefix) for prefix in sorted(found["common_prefixes"]))


def published(bucket: Bucket, address: ModelUri) -> tuple[str, ...]:
    """The digests of the published versions of a model, newest first; empty if nothing was published yet.

    Raises:
        StoreError: as `inference.store.fetch.fetch`.
    """
    key = f"{address.path}/{LATEST}"
    found = bucket.find(key, max_bytes=MAX_LATEST_BYTES)
    return parse_latest(found[0], f"s3://{bucket.name}/{key}") if found else ()


def manifest(bucket: Bucket, address: ModelUri) -> Manifest:
    """The manifest of the published version that `address` is pinned to; the weights are not read.

    Raises:
        ArtifactError: the manifest does not have that digest.
        StoreError: as `inference.store.fetch.fetch`.
    """
    content = bucket.get(f"{address.path}/{address.digest}/{MANIFEST_FILE}", max_bytes=MAX_MANIFEST_BYTES)
    return read_manifest(content, expected_digest=address.digest)


def served_version(address: ModelUri, versions: tuple[str, ...]) -> ModelUri | None:
    """The published version that pods load from `address`: the pinned one, else the newest.

    Args:
        address: what platform.yaml says.
        versions: the digests of the published versions, newest first.

    Returns:
        Its address, pinned; None when nothing is published, or the pinned version is not among `versions`.
    """
    digest = address.digest or next(iter(versions), None)
    return address.at(digest) if digest in versions else None


def previous_version(address: ModelUri, versions: tuple[str, ...]) -> ModelUri:
    """The version that was published before the one that pods load from `address`.

    Args:
        address: what platform.yaml says.
        versions: the digests of the published versions, newest first.

    Raises:
        StoreError: there is none, or it is not known which version is served.
    """
    if not versions:
        raise StoreError(f"nothing is published at {address.unpinned()} yet")
    served = served_version(address, versions)
    if served is None:
        raise StoreError(f"{address}: the pinned version is not a published version of this model")
    older = versions[versions.index(str(served.digest)) + 1 :]
    if not older:
        raise StoreError(f"{served} is the oldest published version; there is none before it")
    return address.at(older[0])


def metric_drops(new: Manifest, served: Manifest, tolerance: float) -> tuple[MetricDrop, ...]:
    """The hold-out metrics of `new` below those of `served` by more than `tolerance`; none if one has no hold-out."""
    if new.metrics is None or served.metrics is None:
        return ()
    pairs = (MetricDrop(name, getattr(served.metrics, name), getattr(new.metrics, name)) for name in _COMPARED)
    return tuple(drop for drop in pairs if drop.new < drop.served - tolerance)


def _bucket_address(uri: str) -> ModelUri:
    try:
        address = ModelUri.parse(uri)
    except ValueError as error:
        raise StoreError(str(error)) from error
    if not address.bucket:
        raise StoreError(f"'{uri}' is a folder; a model is published to a bucket: {GRAMMAR.partition(',')[0]}")
    return address


def _write_version(bucket: Bucket, address: ModelUri, files: Mapping[str, bytes]) -> bool:
    """Write the files in their order unless they are there; return whether anything was written."""
    directory = f"{address.path}/{address.digest}/"
    if bucket.find(directory + MANIFEST_FILE, max_bytes=MAX_MANIFEST_BYTES) is not None:
        for name, content in files.items():
            if bucket.get(directory + name, max_bytes=MAX_WEIGHTS_BYTES) != content:
                raise StoreError(
                    f"s3://{bucket.name}/{directory}{name} does not hold the bytes that its digest stands for, and "
                    "publish never overwrites a version: find out who changed it, delete it, then publish again"
                )
        return False
    for name, content in files.items():  # the manifest last
        bucket.put(directory + name, content)
    return True


def _set_latest(bucket: Bucket, address: ModelUri) -> None:
    """Put `address` in front of the versions of its model, without losing a concurrent change."""
    key = f"{address.path}/{LATEST}"
    for _ in range(_ATTEMPTS):
        found = bucket.find(key, max_bytes=MAX_LATEST_BYTES)
        digests = parse_latest(found[0], f"s3://{bucket.name}/{key}") if found else ()
        if digests and digests[0] == address.digest:
            return
        newest_first = [address.digest, *(digest for digest in digests if digest != address.digest)]
        with bucket.explained("write", key), suppress(AlreadyExistsError, PreconditionError):
            body = json.dumps({"digests": newest_first}, indent=2).encode() + b"\n"
            obstore.put(bucket.store, key, body, mode=found[1] if found else "create", use_multipart=False)
            return
    raise StoreUnavailableError(f"others keep changing s3://{bucket.name}/{key} at the same moment: publish again")
