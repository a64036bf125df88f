"""What a check says about a tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from audit.model.place import Place

Where = Place | tuple[str, int] | None


class Outcome(StrEnum):
    """Whether a tenant meets a check."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


_WORST_FIRST: Final = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with its reason.

    Attributes:
        outcome: pass, fail, unknown or not applicable.
        reason: Why, in one sentence.
        place: File and line of what decides, or None.
    """

    outcome: Outcome
    reason: str
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """An answer about one tenant.

    Attributes:
        benchmark: Name of the check.
        tenant: Name of the tenant.
        answer: The answer.
    """

    benchmark: str
    tenant: str
    answer: Answer


def passed(reason: str, place: Where = None) -> Answer:
    """The tenant meets the check."""
    return Answer(Outcome.PASS, reason, _line(place))


def failed(reason: str, place: Where = None) -> Answer:
    """The tenant does not meet the check."""
    return Answer(Outcome.FAIL, reason, _line(place))


def unknown(reason: str, place: Where = None) -> Answer:
    """The input is not sufficient to decide."""
    return Answer(Outcome.UNKNOWN, reason, _line(place))


def not_applicable(reason: str) -> Answer:
    """The check is about something that the tenant does not have."""
    return Answer(Outcome.NOT_APPLICABLE, reason)


def worst(answers: Iterable[Answer]) -> Answer:
    """The first failure, or else the first unknown answer, or else the first answer."""
    return min(answers, key=lambda each: _WORST_FIRST.index(each.outcome))


def _line(place: Where) -> tuple[str, int] | None:
    return (place.file, place.line) if isinstance(place, Place) else place
