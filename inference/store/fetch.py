"""Where models come from: a folder, or an S3 bucket; nothing else.

A bucket holds, for each model, one immutable directory a version, named by its digest, and one small file that says
which of them is the newest:

    <tenant>/<name>/<digest>/manifest.json
    <tenant>/<name>/<digest>/weights.safetensors
    <tenant>/<name>/latest.json

The digest is the SHA-256 of the manifest, and the manifest holds the weights': what a reader got is what was published,
whoever owns the bucket.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from obstore.store import ObjectStore

from inference.address import ModelUri, check_digest
from inference.errors import StoreError
from inference.model.artifact import MANIFEST_FILE, WEIGHTS_FILE
from inference.store.bucket import Bucket, StoreSettings

LATEST: Final = "latest.json"


@dataclass(frozen=True, kw_only=True)
class FetchedArtifact:
    """The files of a model artifact, and the digest that they were asked for by.

    Args:
        files: bytes by file name.
        digest: 64 hex digits that the manifest's SHA-256 equals.
        uri: where they were read, pinned to that digest.
    """

    files: Mapping[str, bytes]
    digest: str
    uri: str


def fetch(uri: str, settings: StoreSettings | None = None, *, store: ObjectStore | None = None) -> FetchedArtifact:
    """Read a model artifact; blocks, so that an event loop calls it in a thread.

    Args:
        uri: see `inference.address.GRAMMAR`.
        settings: how to reach the server; absent: what the environment says. Unused for a folder.
        store: an opened bucket instead of the one that the address and the settings name.

    Raises:
        StoreUnavailableError: the store does not answer, or answers 5xx: worth another try.
        StoreError: nothing but a person can help: no such bucket, key or right, or a digest that differs.
    """
    try:
        address = ModelUri.parse(uri)
    except ValueError as error:
        raise StoreError(str(error)) from error
    if address.bucket:
        bucket = Bucket.open(address.bucket, settings, store=store)
        digest = address.digest or versions(bucket, address)[0]
        address = address.at(digest)
        read = partial(bucket.get, directory=f"{address.path}/{digest}/")
    else:
        read = partial(_read_file, folder=Path(address.path))
    manifest = read(MANIFEST_FILE)
    found = hashlib.sha256(manifest).hexdigest()
    if address.digest and found != address.digest:
        raise StoreError(
            f"{address}: its {MANIFEST_FILE} has the digest sha256:{found}: it was changed after it was published, or "
            "the pin is another model's; publish the model again and pin what publish prints"
        )
    files = {MANIFEST_FILE: manifest, WEIGHTS_FILE: read(WEIGHTS_FILE)}
    return FetchedArtifact(files=files, digest=found, uri=str(address.at(found)))


def versions(bucket: Bucket, address: ModelUri) -> tuple[str, ...]:
    """The digests of a model's published versions, newest first, as `latest.json` says.

    Raises:
        StoreError: as `fetch`, or the file is not what `publish` writes.
    """
    key = f"{address.path}/{LATEST}"
    return parse_latest(bucket.get(key), f"s3://{bucket.name}/{key}")


def parse_latest(text: bytes, where: str) -> tuple[str, ...]:
    """Read `latest.json`: at least one digest, newest first.

    Raises:
        StoreError: `text` is not what `publish` writes; `where` says of what.
    """
    try:
        document = json.loads(text)
        digest, *previous = document["digests"]
        return (check_digest(digest), *map(check_digest, previous))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{where} is not what publish writes ({error!r}); publish the model again") from error


def _read_file(name: str, folder: Path) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {folder / name}: {error.strerror}; train a model there first") from error
