"""The cache: bounded, and never more than a slower synth when it fails."""

import os
from pathlib import Path

import pytest

from constructs_lib.names import CACHE_ENV
from constructs_lib.synthesis.cache import Cache, key

ITEM = key("test", "one")


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    Cache(tmp_path / "deep" / "cache").store(ITEM, b"content")
    assert Cache(tmp_path / "deep" / "cache").read(ITEM) == b"content"
    assert Cache(tmp_path / "deep" / "cache").read(key("test", "two")) is None


@pytest.mark.parametrize("damage", [lambda text: text[:-3], lambda text: b"x" * 32 + text[32:], lambda _: b""])
def test_a_damaged_entry_is_a_miss(tmp_path: Path, damage: object) -> None:
    cache = Cache(tmp_path)
    cache.store(ITEM, b"content" * 100)
    (file,) = tmp_path.iterdir()
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    assert cache.read(ITEM) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache = Cache(tmp_path / "file" / "cache")
    cache.store(ITEM, b"content")
    cache.trim()
    assert cache.read(ITEM) is None


def test_a_full_disk_is_no_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    Cache(tmp_path).store(ITEM, b"content")
    assert not list(tmp_path.iterdir())


def test_what_was_used_longest_ago_is_deleted_first(tmp_path: Path) -> None:
    contents = [os.urandom(1000) for _ in range(6)]
    cache = Cache(tmp_path, limit=5000)
    for index, content in enumerate(contents):
        cache.store(key("test", str(index)), content)
        os.utime(tmp_path / key("test", str(index)), (index, index))
    assert cache.read(key("test", "0")) == contents[0]
    cache.trim()
    left = [index for index, content in enumerate(contents) if cache.read(key("test", str(index))) == content]
    assert left == [0, 4, 5]


def test_a_cache_within_its_limit_is_left_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=5000)
    cache.store(ITEM, os.urandom(4000))
    cache.trim()
    assert cache.read(ITEM) is not None


@pytest.mark.parametrize("value", ["off", ""])
def test_the_cache_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_ENV, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = Cache.from_environment()
    cache.store(ITEM, b"content")
    assert cache.read(ITEM) is None
    assert not list(tmp_path.iterdir())


def test_the_cache_is_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(CACHE_ENV)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Cache.from_environment().store(ITEM, b"content")
    assert [path.name for path in (tmp_path / "tenantry" / "synth").iterdir()] == [ITEM]
