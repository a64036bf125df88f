"""A key that was used is found again without its digest, until the keys are read again."""

from pathlib import Path

import pytest

from inference import api_keys
from inference.api_keys import ApiKey, digest_of
from inference.serving.callers import keys
from inference.serving.callers.keys import KeyRing

KEY = b"tnt_one"


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    (tmp_path / "shop").write_text(api_keys.entry_text([ApiKey(digest_of(KEY))]))
    found = KeyRing(tmp_path)
    found.reload()
    return found


def test_the_digest_of_a_valid_key_is_computed_once(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    digested: list[bytes] = []

    def counted(key: bytes) -> bytes:
        digested.append(key)
        return digest_of(key)

    monkeypatch.setattr(keys, "digest_of", counted)
    owners = [ring.find(bytes(bytearray(KEY))) for _ in range(3)]
    assert [owner and owner.caller for owner in owners] == ["shop"] * 3
    assert digested == [KEY]


def test_unknown_keys_are_not_remembered(ring: KeyRing) -> None:
    assert ring.find(KEY)
    assert not any(ring.find(b"tnt_wrong%d" % number) for number in range(1_000))
    assert len(ring._used) == 1


def test_a_key_with_the_hash_of_another_is_not_taken_for_it(ring: KeyRing) -> None:
    owner = ring.find(KEY)
    assert owner
    ring._used[hash(b"tnt_two")] = KEY, owner
    assert ring.find(b"tnt_two") is None


def test_a_key_that_was_used_is_refused_once_it_is_removed(ring: KeyRing, tmp_path: Path) -> None:
    assert ring.find(KEY)
    (tmp_path / "shop").unlink()
    ring.reload()
    assert ring.find(KEY) is None
