"""Publishing a model, and what is published."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import MemoryStore

from inference.address import ModelUri
from inference.errors import ArtifactError, StoreError, StoreUnavailableError
from inference.model import artifact
from inference.model.artifact import Artifact
from inference.model.manifest import MANIFEST_FILE, WEIGHTS_FILE, read_manifest
from inference.store.bucket import Bucket
from inference.store.fetch import fetch
from inference.store.registry import (
    metric_drops,
    models,
    previous_version,
    publish,
    served_version,
)
from tests.artifacts import sealed

URI = "s3://models/tenant-a/spam"
LATEST = "tenant-a/spam/latest.json"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Artifact], Path]:
    def write(model: Artifact) -> Path:
        artifact.write(tmp_path / model.digest, model)
        return tmp_path / model.digest

    return write


Write = Callable[[Artifact], Path]


def _keys(store: MemoryStore) -> set[str]:
    return {entry["path"] for entry in obstore.list(store).collect()}


def test_what_is_published_is_what_is_read(store: MemoryStore, write: Write) -> None:
    model = sealed()
    publication = publish(write(model), URI, store=store)
    assert publication.created
    assert str(publication.uri) == f"{URI}@sha256:{model.digest}"
    assert fetch(URI, store=store).files == model.files()
    directory = f"tenant-a/spam/{model.digest}"
    assert _keys(store) == {LATEST, f"{directory}/{MANIFEST_FILE}", f"{directory}/{WEIGHTS_FILE}"}


def test_a_newer_version_becomes_the_latest_and_the_old_one_stays(store: MemoryStore, write: Write) -> None:
    old, new = sealed(weights=b"old"), sealed(weights=b"new")
    pinned = publish(write(old), URI, store=store).uri
    publish(write(new), URI, store=store)
    assert fetch(URI, store=store).digest == new.digest
    assert fetch(str(pinned), store=store).digest == old.digest


def test_publishing_a_version_again_writes_nothing_of_it_and_makes_it_the_latest(
    store: MemoryStore, write: Write
) -> None:
    old, new = sealed(weights=b"old"), sealed(weights=b"new")
    for model in (old, new):
        publish(write(model), URI, store=store)
    before = obstore.head(store, f"tenant-a/spam/{old.digest}/{WEIGHTS_FILE}")
    again = publish(write(old), URI, store=store)
    assert not again.created
    assert obstore.head(store, f"tenant-a/spam/{old.digest}/{WEIGHTS_FILE}") == before
    assert json.loads(obstore.get(store, LATEST).bytes().to_bytes())["digests"] == [old.digest, new.digest]


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
def test_other_bytes_under_the_same_name_are_never_overwritten(store: MemoryStore, write: Write, name: str) -> None:
    model = sealed()
    publish(write(model), URI, store=store)
    key = f"tenant-a/spam/{model.digest}/{name}"
    obstore.put(store, key, b"tampered")
    with pytest.raises(StoreError, match=r"does not hold the bytes that its digest stands for"):
        publish(write(model), URI, store=store)
    assert obstore.get(store, key).bytes().to_bytes() == b"tampered"


class CutOffError(Exception):
    """The publisher's machine went away."""


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_publication_that_was_cut_off_is_invisible_and_the_next_one_finishes_it(
    store: MemoryStore, write: Write, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    old, new = sealed(weights=b"old"), sealed(weights=b"new")
    publish(write(old), URI, store=store)
    done = 0
    put = obstore.put

    def cut(*arguments: Any, **options: Any) -> Any:
        nonlocal done
        if done == writes:
            raise CutOffError
        done += 1
        return put(*arguments, **options)

    monkeypatch.setattr(obstore, "put", cut)
    with pytest.raises(CutOffError):
        publish(write(new), URI, store=store)
    monkeypatch.undo()
    assert fetch(URI, store=store).digest == old.digest
    publish(write(new), URI, store=store)
    assert fetch(URI, store=store).files == new.files()


def test_two_publishers_at_the_same_moment_lose_nothing(
    store: MemoryStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (sealed(weights=text) for text in (b"first", b"second", b"third"))
    publish(write(first), URI, store=store)
    put = obstore.put
    raced = False

    def race(target: Any, key: str, *arguments: Any, **options: Any) -> Any:
        nonlocal raced
        if key == LATEST and not raced:
            raced = True
            publish(write(second), URI, store=store)
        return put(target, key, *arguments, **options)

    monkeypatch.setattr(obstore, "put", race)
    publish(write(third), URI, store=store)
    digests = json.loads(obstore.get(store, LATEST).bytes().to_bytes())["digests"]
    assert digests == [third.digest, second.digest, first.digest]


def test_a_race_that_never_ends_is_given_up(store: MemoryStore, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(write(sealed(weights=b"first")), URI, store=store)
    put = obstore.put

    def race(target: Any, key: str, *arguments: Any, **options: Any) -> Any:
        if key == LATEST:
            put(target, key, obstore.get(store, LATEST).bytes())
        return put(target, key, *arguments, **options)

    monkeypatch.setattr(obstore, "put", race)
    with pytest.raises(StoreUnavailableError, match=r"others keep changing s3://models/tenant-a/spam/latest\.json"):
        publish(write(sealed(weights=b"second")), URI, store=store)


def test_a_truncated_artifact_is_not_published(store: MemoryStore, write: Write) -> None:
    directory = write(sealed())
    (directory / WEIGHTS_FILE).write_bytes(b"some")
    with pytest.raises(ArtifactError, match="truncated"):
        publish(directory, URI, store=store)
    assert not _keys(store)


def test_a_pin_that_is_another_models_is_refused(store: MemoryStore, write: Write) -> None:
    with pytest.raises(ArtifactError, match="expected " + "0" * 64):
        publish(write(sealed()), f"{URI}@sha256:{'0' * 64}", store=store)
    assert not _keys(store)


@pytest.mark.parametrize(("uri", "said"), [("file:build", "is a folder"), ("s3://models/spam", "its name is ''")])
def test_only_a_bucket_takes_a_model(store: MemoryStore, write: Write, uri: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        publish(write(sealed()), uri, store=store)


def test_lists_a_tenants_models_and_nobody_elses(store: MemoryStore, write: Write) -> None:
    for uri in ("s3://models/tenant-a/spam", "s3://models/tenant-a/abuse", "s3://models/tenant-ab/spam"):
        publish(write(sealed()), uri, store=store)
    assert models(Bucket.open("models", store=store), "tenant-a") == (
        ModelUri.parse("s3://models/tenant-a/abuse"),
        ModelUri.parse("s3://models/tenant-a/spam"),
    )


NEW, OLD, GONE = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("pin", "versions", "served"),
    [(None, (NEW, OLD), NEW), (OLD, (NEW, OLD), OLD), (GONE, (NEW, OLD), None), (None, (), None), (OLD, (), None)],
)
def test_the_pinned_version_is_served_else_the_newest(
    pin: str | None, versions: tuple[str, ...], served: str | None
) -> None:
    address = ModelUri.parse(URI)
    found = served_version(address.at(pin) if pin else address, versions)
    assert found == (address.at(served) if served else None)


def test_the_previous_version_is_the_one_published_before_the_served_one() -> None:
    address = ModelUri.parse(URI)
    assert previous_version(address, (NEW, OLD)) == previous_version(address.at(NEW), (NEW, OLD)) == address.at(OLD)


@pytest.mark.parametrize(
    ("pin", "versions", "said"),
    [
        (None, (), "nothing is published at s3://models/tenant-a/spam yet"),
        (GONE, (NEW, OLD), f"{GONE}: the pinned version is not a published version"),
        (OLD, (NEW, OLD), f"{OLD} is the oldest published version"),
    ],
)
def test_names_the_reason_when_there_is_no_previous_version(
    pin: str | None, versions: tuple[str, ...], said: str
) -> None:
    address = ModelUri.parse(URI)
    with pytest.raises(StoreError, match=said):
        previous_version(address.at(pin) if pin else address, versions)


def test_lists_the_metrics_that_fall_by_more_than_the_tolerance() -> None:
    better, worse = (read_manifest(sealed(macro_f1=f1).manifest_bytes) for f1 in (0.9, 0.85))
    names = ["accuracy", "macro_precision", "macro_recall", "macro_f1"]
    drops = metric_drops(worse, better, 0.01)
    assert [(drop.name, drop.served, drop.new) for drop in drops] == [(name, 0.9, 0.85) for name in names]
    assert metric_drops(worse, better, 0.06) == metric_drops(better, worse, 0.01) == ()
