"""The base class of every part of `platform.yaml`, and how a rule refuses a value."""

from collections.abc import Sequence
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

_KIND = "rule"


class Section(BaseModel):
    """An immutable part of `platform.yaml`: camelCase keys in the file, snake_case in Python, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


def refusal(rule: str, fix: str, *, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """The error for a value that breaks a rule.

    Args:
        rule: the rule; it follows the name of the field ("must be at most ...").
        fix: what the user can do.
        at: where in the value the wrong part is, as keys of the file; empty for the value itself.
    """
    return PydanticCustomError(_KIND, "{rule}; {fix}", {"rule": rule, "fix": fix, "at": at})


def refuse(rule: str, fix: str, *, at: tuple[str | int, ...] = ()) -> NoReturn:
    """Raise a `refusal`."""
    raise refusal(rule, fix, at=at)


def refuse_all(refusals: Sequence[PydanticCustomError], *, beside: ValidationError | None = None) -> None:
    """Raise all refusals at once, together with those of `beside`; do nothing if there are none."""
    if refusals:
        others = [_again(each) for each in beside.errors()] if beside else []
        found = [InitErrorDetails(type=each, input=None) for each in refusals]
        raise ValidationError.from_exception_data("platform.yaml", others + found)


def _again(error: ErrorDetails) -> InitErrorDetails:
    context = error.get("ctx", {})
    kind = refusal(**context) if error["type"] == _KIND else error["type"]
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=context)
