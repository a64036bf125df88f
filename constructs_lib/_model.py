"""What every part of `platform.yaml` has in common, and how a rule says no."""

from typing import NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """An immutable part of `platform.yaml`: camelCase keys there, snake_case in Python, nothing unknown."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


def refuse(rule: str, fix: str, *, at: tuple[str | int, ...] = ()) -> NoReturn:
    """Say that a value breaks a rule.

    Args:
        rule: what holds for a right value; follows the field's name ("is at most ...").
        fix: what the user may do.
        at: where in the value the culprit is, as keys of the file; empty for the value itself.
    """
    raise PydanticCustomError("rule", "{rule}; {fix}", {"rule": rule, "fix": fix, "at": at})
