"""The service's settings: documented, derived by name, refused with a message."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from inference import contract
from inference.settings import Settings
from tools.settings_table import with_table


def test_every_field_has_its_line() -> None:
    """Each field is documented where it is defined."""
    assert all(field.description for field in Settings.model_fields.values())


def test_every_field_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field's variable is the contract's prefix and its name."""
    monkeypatch.setenv(f"{contract.ENV_PREFIX}MODEL_URI", "file:/model")
    monkeypatch.setenv(f"{contract.ENV_PREFIX}MAX_TEXTS", "17")
    found = Settings()  # type: ignore[call-arg]
    assert (found.model_uri, found.max_texts) == ("file:/model", 17)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("model_uri", "http://host/model", "is not a supported scheme"),
        ("max_in_flight", 0, "greater than or equal to 1"),
        ("header_timeout_seconds", float("inf"), "finite"),
        ("port", 70_000, "65535"),
        ("log_level", "loud", "pattern"),
        ("max_body_bytes", 100_000_000, "at most max_buffered_bytes"),
        ("drain_notice_seconds", 30, "at most drain_seconds"),
        ("load_retry_seconds", 31, "at most load_retry_max_seconds"),
    ],
)
def test_refuses_what_makes_no_sense(field: str, value: object, word: str) -> None:
    """A setting out of its range is refused, with the range."""
    with pytest.raises(ValidationError, match=word):
        Settings.model_validate({"model_uri": "file:/model", field: value})


def test_a_missing_model_is_named() -> None:
    """The one setting without a default is missed by name."""
    with pytest.raises(ValidationError, match="model_uri"):
        Settings()  # type: ignore[call-arg]


def test_a_synth_can_read_the_names_without_the_service() -> None:
    """Importing the settings brings no web framework and no numbers, and the contract brings nothing at all."""
    code = (
        "import sys, inference.contract; assert 'pydantic' not in sys.modules; import inference.settings;"
        "print([name for name in ('fastapi', 'starlette', 'uvicorn', 'numpy') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_document_lists_them_all(pytestconfig: pytest.Config) -> None:
    """docs/service.md is up to date; `make settings-table` writes it."""
    document = (pytestconfig.rootpath / "docs/service.md").read_text()
    assert with_table(document) == document
