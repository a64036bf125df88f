"""What every part of `platform.yaml` has in common, and how a rule says no."""

from collections.abc import Sequence
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

_KIND = "rule"


class Section(BaseModel):
    """An immutable part of `platform.yaml`: camelCase keys there, snake_case in Python, nothing unknown."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


def refusal(rule: str, fix: str, *, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """What is said of a value that breaks a rule.

    Args:
        rule: what holds for a right value; follows the field's name ("is at most ...").
        fix: what the user may do.
        at: where in the value the culprit is, as keys of the file; empty for the value itself.
    """
    return PydanticCustomError(_KIND, "{rule}; {fix}", {"rule": rule, "fix": fix, "at": at})


def refuse(rule: str, fix: str, *, at: tuple[str | int, ...] = ()) -> NoReturn:
    """Say that a value breaks a rule; see `refusal`."""
    raise refusal(rule, fix, at=at)


def refuse_all(refusals: Sequence[PydanticCustomError], *, beside: ValidationError | None = None) -> None:
    """Say all of them at once, beside what another error says already; where there is none, nothing."""
    if refusals:
        told = [_again(each) for each in beside.errors()] if beside else []
        found = [InitErrorDetails(type=each, input=None) for each in refusals]
        raise ValidationError.from_exception_data("platform.yaml", told + found)


def _again(error: ErrorDetails) -> InitErrorDetails:
    context = error.get("ctx", {})
    kind = refusal(**context) if error["type"] == _KIND else error["type"]
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=context)
