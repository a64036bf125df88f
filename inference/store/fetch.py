"""Read a model artifact from a folder or from an S3 bucket.

A bucket holds, per model, one immutable directory per version, named by its digest, and one small file that lists the
versions, newest first:

    <tenant>/<name>/<digest>/manifest.json
    <tenant>/<name>/<digest>/weights.safetensors    (or model.onnx)
    <tenant>/<name>/latest.json

The digest is the SHA-256 of the manifest, and the manifest holds the SHA-256 and the length of the weights: a reader
gets what was published, whoever owns the bucket.
"""

import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from obstore.store import ObjectStore

from inference.address import ModelUri, check_digest
from inference.errors import StoreError
from inference.model.artifact import MAX_WEIGHTS_BYTES
from inference.model.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES, read_manifest
from inference.store.bucket import Bucket, StoreSettings

LATEST: Final = "latest.json"
MAX_LATEST_BYTES: Final = 2**20
"""A larger `latest.json` is not read; ten thousand versions fit."""


@dataclass(frozen=True, kw_only=True)
class FetchedArtifact:
    """The files of a model artifact.

    Args:
        files: bytes by file name.
        digest: SHA-256 of the manifest, 64 hex digits.
        uri: where they were read, pinned to that digest.
    """

    files: Mapping[str, bytes]
    digest: str
    uri: str


def fetch(uri: str, settings: StoreSettings | None = None, *, store: ObjectStore | None = None) -> FetchedArtifact:
    """Read a model artifact. Blocks: an event loop calls it in a thread.

    Args:
        uri: see `inference.address.GRAMMAR`.
        settings: how to reach the server; absent: from the environment. Unused for a folder.
        store: an opened bucket, instead of the one that the address and the settings name.

    Raises:
        StoreUnavailableError: the store does not answer, or answers 5xx: a retry may help.
        StoreError: no such bucket, object or permission, or a digest or size that differs: a retry does not help.
        ArtifactError: the manifest is not one that this service reads.
    """
    try:
        address = ModelUri.parse(uri)
    except ValueError as error:
        raise StoreError(str(error)) from error
    if address.bucket:
        bucket = Bucket.open(address.bucket, settings, store=store)
        digest = address.digest or versions(bucket, address)[0]
        address = address.at(digest)
        read: Callable[..., bytes] = partial(_read_object, bucket, f"{address.path}/{digest}/")
    else:
        read = partial(_read_file, Path(address.path))
    manifest = read(MANIFEST_FILE, max_bytes=MAX_MANIFEST_BYTES)
    found = hashlib.sha256(manifest).hexdigest()
    if address.digest and found != address.digest:
        raise StoreError(
            f"{address}: its {MANIFEST_FILE} has the digest sha256:{found}: it was changed after it was published, or "
            "the pin belongs to another model; publish the model again and pin what publish prints"
        )
    described = read_manifest(manifest).weights
    weights = read(described.file, max_bytes=min(described.bytes, MAX_WEIGHTS_BYTES))
    files = {MANIFEST_FILE: manifest, described.file: weights}
    return FetchedArtifact(files=files, digest=found, uri=str(address.at(found)))


def versions(bucket: Bucket, address: ModelUri) -> tuple[str, ...]:
    """The digests of the published versions of a model, newest first, from `latest.json`.

    Raises:
        StoreError: as `fetch`, or the file is not what `publish` writes.
    """
    key = f"{address.path}/{LATEST}"
    return parse_latest(bucket.get(key, max_bytes=MAX_LATEST_BYTES), f"s3://{bucket.name}/{key}")


def parse_latest(text: bytes, where: str) -> tuple[str, ...]:
    """Read `latest.json`: at least one digest, newest first.

    Raises:
        StoreError: `text` is not what `publish` writes; `where` names the file in the message.
    """
    try:
        document = json.loads(text)
        digest, *previous = document["digests"]
        return (check_digest(digest), *map(check_digest, previous))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(
            f"{where} does not hold a list of digests, as publish writes it ({type(error).__name__}); publish the "
            "model again"
        ) from error


def _read_object(bucket: Bucket, directory: str, name: str, *, max_bytes: int) -> bytes:
    return bucket.get(directory + name, max_bytes=max_bytes)


def _read_file(folder: Path, name: str, *, max_bytes: int) -> bytes:
    path = folder / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            raise StoreError(
                f"{path} is not a file of at most {max_bytes} bytes, as training writes it; train the model again"
            )
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}; train a model there first") from error
