"""What a construct refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import PydanticCustomError


class PropsError(ValueError):
    """A construct was given what it cannot build; the message names the prop, its value, the rule and the fix."""


@contextmanager
def refusing(prop: str, value: object) -> Iterator[None]:
    """Say of which prop a rule that fails inside speaks."""
    try:
        yield
    except PydanticCustomError as error:
        raise PropsError(f"'{prop}' ('{value}') {error}") from error
    except ValidationError as error:
        rules = "; ".join(each["msg"] for each in error.errors())
        raise PropsError(f"'{prop}' ('{value}') {rules}") from error
