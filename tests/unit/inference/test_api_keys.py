"""The entries of the Secret `api-keys`: what is written is what is read, and what is refused."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import api_keys
from inference.api_keys import ApiKey, ApiKeyError

DIGEST = api_keys.digest_of(b"key")
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2999, 1, 1))  # noqa: DTZ001 - made UTC below
KEYS = st.builds(
    ApiKey,
    st.binary(min_size=32, max_size=32),
    st.none() | TIMES.map(lambda each: each.replace(microsecond=0, tzinfo=UTC)),
)


def test_keys_are_random_and_recognizable() -> None:
    keys = {api_keys.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("tnt_") and len(key) == 47 for key in keys)


@given(st.lists(KEYS, min_size=1, max_size=api_keys.MAX_KEYS))
def test_an_entry_is_read_as_it_was_written(keys: list[ApiKey]) -> None:
    assert api_keys.parse_entry("shop", api_keys.entry_text(keys)) == tuple(keys)


def test_an_entry_has_no_key_and_nothing_else_than_digest_and_expiry() -> None:
    key = ApiKey(DIGEST, datetime(2030, 1, 31, 12, tzinfo=UTC))
    assert api_keys.entry_text([key]) == f"sha256:{DIGEST.hex()} 2030-01-31T12:00:00Z\n"


@given(st.text(max_size=100))
def test_any_text_is_an_entry_or_an_error(text: str) -> None:
    with suppress(ApiKeyError):
        assert api_keys.parse_entry("shop", text)


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 41, "anonymous", "unknown", "a/b", "\n"])
def test_rejects_an_invalid_caller(name: str) -> None:
    with pytest.raises(ApiKeyError, match="must have 1 to 40 characters"):
        api_keys.check_caller(name)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "line 1: must be 'sha256:"),
        ("sha256:abc", "line 1: must be 'sha256:"),
        (f"sha256:{DIGEST.hex()} tomorrow", "line 1: must be 'sha256:"),
        (f"sha256:{DIGEST.hex()} 2030-13-01T00:00:00Z", "must be a time"),
        (f"sha256:{DIGEST.hex()}\nmd5:1", "line 2: must be 'sha256:"),
        (f"sha256:{DIGEST.hex()}\n" * 6, "has 6 keys; a caller has at most 5"),
    ],
)
def test_rejects_an_invalid_entry(text: str, rule: str) -> None:
    with pytest.raises(ApiKeyError, match=rule):
        api_keys.parse_entry("shop", text)


def test_rejects_a_key_of_two_callers() -> None:
    with pytest.raises(ApiKeyError, match="callers 'a' and 'b' have the same key"):
        api_keys.parse_entries(dict.fromkeys(("a", "b"), str(ApiKey(DIGEST))))


def test_rejects_more_callers_than_metrics_can_have() -> None:
    entries = {f"c{number}": str(ApiKey(api_keys.digest_of(b"%d" % number))) for number in range(201)}
    with pytest.raises(ApiKeyError, match="201 callers; a tenant has at most 200"):
        api_keys.parse_entries(entries)


def test_a_message_never_contains_a_digest() -> None:
    with pytest.raises(ApiKeyError) as caught:
        api_keys.parse_entry("shop", f"sha256:{DIGEST.hex()}x")
    assert DIGEST.hex() not in str(caught.value)
