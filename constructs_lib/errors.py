"""Errors of the constructs."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import PydanticCustomError


class PropsError(ValueError):
    """An invalid property of a construct; the message names the property, its value, the rule and the fix."""


@contextmanager
def refusing(prop: str, value: object) -> Iterator[None]:
    """Name the property in the error of a rule that fails in this block."""
    try:
        yield
    except PydanticCustomError as error:
        raise PropsError(f"'{prop}' ('{value}') {error}") from error
    except ValidationError as error:
        rules = "; ".join(each["msg"] for each in error.errors())
        raise PropsError(f"'{prop}' ('{value}') {rules}") from error
