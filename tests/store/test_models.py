"""A model's way through a real S3 server: published by one user, read by another, never half and never changed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inference.address import ModelUri
from inference.errors import ArtifactError, StoreError, StoreUnavailableError
from inference.model import artifact
from inference.model.artifact import Artifact
from inference.model.manifest import MANIFEST_FILE, WEIGHTS_FILE
from inference.store.bucket import Bucket, StoreSettings
from inference.store.fetch import fetch
from inference.store.registry import models, publish, published
from tests.artifacts import sealed
from tests.store.conftest import S3Server

Write = Callable[[Artifact], Path]


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """A model of tenant-a that no other test publishes."""
    return f"s3://models/tenant-a/{request.node.originalname.replace('_', '-')}"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(model: Artifact) -> Path:
        artifact.write(tmp_path / model.digest, model)
        return tmp_path / model.digest

    return write


def test_a_tenant_reads_what_the_publisher_wrote(
    uri: str, write: Write, publisher: StoreSettings, tenant_a: StoreSettings
) -> None:
    model = sealed()
    pinned = publish(write(model), uri, publisher).uri
    for address in (uri, str(pinned)):
        fetched = fetch(address, tenant_a)
        assert fetched.files == model.files()
        assert fetched.uri == f"{uri}@sha256:{model.digest}"


def test_a_tenant_follows_to_a_new_version_and_back_to_a_pinned_one(
    uri: str, write: Write, publisher: StoreSettings, tenant_a: StoreSettings
) -> None:
    old, new = sealed(weights=b"old"), sealed(weights=b"new")
    pinned = publish(write(old), uri, publisher).uri
    publish(write(new), uri, publisher)
    assert fetch(uri, tenant_a).digest == new.digest
    assert fetch(str(pinned), tenant_a).files == old.files()


def test_a_tenant_reads_no_other_tenants_model(write: Write, publisher: StoreSettings, tenant_a: StoreSettings) -> None:
    pinned = publish(write(sealed()), "s3://models/tenant-b/spam", publisher).uri
    for address in ("s3://models/tenant-b/spam", str(pinned)):
        with pytest.raises(StoreError, match=r"denied by http://.* \(403 AccessDenied\)") as caught:
            fetch(address, tenant_a)
        assert not isinstance(caught.value, StoreUnavailableError)


def test_a_tenant_cannot_publish(uri: str, write: Write, tenant_a: StoreSettings) -> None:
    with pytest.raises(StoreError, match="denied"):
        publish(write(sealed()), uri, tenant_a)


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-1] + b"!", lambda _: b""])
def test_what_was_changed_in_the_store_is_refused(
    write: Write,
    server: S3Server,
    publisher: StoreSettings,
    tenant_a: StoreSettings,
    name: str,
    change: Callable[[bytes], bytes],
) -> None:
    model = sealed(weights=f"{name} {change(b'some weights')!r}".encode())
    pinned = publish(write(model), "s3://models/tenant-a/tampered", publisher).uri
    kept = server.file("models", f"{pinned.path}/{pinned.digest}/{name}")
    kept.write_bytes(change(kept.read_bytes()))
    with pytest.raises((StoreError, ArtifactError)) as caught:
        artifact.read(fetch(str(pinned), tenant_a).files, expected_digest=pinned.digest)
    assert not isinstance(caught.value, StoreUnavailableError)
    with pytest.raises(StoreError, match="does not hold the bytes that its digest stands for"):
        publish(write(model), "s3://models/tenant-a/tampered", publisher)


def test_publishing_again_changes_nothing(uri: str, write: Write, server: S3Server, publisher: StoreSettings) -> None:
    pinned = publish(write(sealed()), uri, publisher).uri
    kept = [
        server.file("models", f"{pinned.path}/{place}") for place in ("latest.json", f"{pinned.digest}/{WEIGHTS_FILE}")
    ]
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in kept]
    assert not publish(write(sealed()), uri, publisher).created
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in kept] == before


def test_publishers_at_the_same_moment_lose_nothing(uri: str, write: Write, publisher: StoreSettings) -> None:
    folders = [write(sealed(weights=f"number {number}".encode())) for number in range(4)]
    with ThreadPoolExecutor(len(folders)) as pool:
        done = list(pool.map(lambda folder: publish(folder, uri, publisher), folders))
    bucket = Bucket.open("models", publisher)
    assert set(published(bucket, ModelUri.parse(uri))) == {publication.uri.digest for publication in done}


def test_lists_a_tenants_models(write: Write, publisher: StoreSettings) -> None:
    for name in ("listed", "listed-too"):
        publish(write(sealed(name)), f"s3://models/tenant-b/{name}", publisher)
    found = models(Bucket.open("models", publisher), "tenant-b")
    assert {ModelUri.parse(f"s3://models/tenant-b/{name}") for name in ("listed", "listed-too")} <= set(found)
    assert {address.tenant for address in found} == {"tenant-b"}


def test_a_bucket_that_is_not_there_is_named(publisher: StoreSettings) -> None:
    with pytest.raises(StoreError, match=r"no bucket 'nowhere' at http://") as caught:
        fetch("s3://nowhere/tenant-a/spam", publisher)
    assert not isinstance(caught.value, StoreUnavailableError)


def test_a_model_that_was_never_published_is_named(publisher: StoreSettings) -> None:
    with pytest.raises(StoreError, match=r"s3://models/tenant-a/never/latest\.json: there is no such object"):
        fetch("s3://models/tenant-a/never", publisher)


def test_a_store_that_is_away_is_worth_another_try(
    uri: str, write: Write, server: S3Server, publisher: StoreSettings, tenant_a: StoreSettings
) -> None:
    publish(write(sealed()), uri, publisher)
    server.stop()
    try:
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            fetch(uri, tenant_a)
    finally:
        server.start()
    assert fetch(uri, tenant_a).digest == sealed().digest
