"""Turns a broken rule of `platform.yaml` into an error about a property of a construct."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from constructs_lib.errors import PropsError


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
