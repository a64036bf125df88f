"""Where the API key of `tenantry smoke` and `tenantry load` comes from, and what is never printed."""

from pathlib import Path

import pytest

from tenantry.api_key import read_api_key
from tenantry.errors import InputError

KEY = "tnt_secret"


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTRY_API_KEY", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "key.txt"
    found.write_text(f"{KEY}\n")
    return found


@pytest.mark.parametrize("value", ["", " \n"])
def test_no_key_is_read_without_a_file_and_a_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert not read_api_key(None)
    monkeypatch.setenv("TENANTRY_API_KEY", value)
    assert not read_api_key(None)


def test_the_key_is_read_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", f"{KEY}\n")
    assert read_api_key(None) == KEY


def test_a_file_takes_precedence_over_the_variable(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", "tnt_other")
    assert read_api_key(file) == KEY


@pytest.mark.parametrize("content", ["tnt_secret tnt_other", "tnt_secret\r\nHost: evil", "tnt_sécret"])
def test_a_value_that_cannot_be_a_key_is_refused_and_not_printed(
    monkeypatch: pytest.MonkeyPatch, file: Path, content: str
) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", content)
    with pytest.raises(InputError, match="TENANTRY_API_KEY: must contain one API key") as of_variable:
        read_api_key(None)
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="--api-key: must contain one API key") as of_file:
        read_api_key(file)
    assert "tnt_" not in f"{of_variable.value} {of_file.value}"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_an_empty_file_and_one_that_is_not_text_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError, match="--api-key"):
        read_api_key(file)


def test_a_key_given_instead_of_a_file_is_refused_and_not_printed() -> None:
    """The message says what to do; it must not repeat the key."""
    with pytest.raises(InputError, match=r"never the key itself; or set TENANTRY_API_KEY") as caught:
        read_api_key(Path(KEY))
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
