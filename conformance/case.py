"""What a case is, and how one is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from conformance.messages import Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import Source
from conformance.target import Target

Level = Literal["must", "should", "unclear"]
"""`must` and `should` as in the specification; `unclear`: the text allows several answers, so none is wrong."""
Check = Callable[[Target], str | None]
"""Asks the server. Returns None when the expectation is met; an unclear case returns the behaviour that it saw."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One sentence of the specification, as a question to a server.

    Attributes:
        id: Subject, a dot, and a name; stable between releases.
        level: How binding the sentence is.
        source: Where it stands.
        says: The sentence, in our words.
        expects: What the server has to answer.
        check: Asks it.
    """

    id: str
    level: Level
    source: Source
    says: str
    expects: str
    check: Check

    @property
    def subject(self) -> str:
        """What the case is about: the part of the id before the first dot."""
        return self.id.split(".", 1)[0]


class Cases:
    """The cases of one module, in the order in which they are asked."""

    def __init__(self) -> None:
        self.all: list[Case] = []

    def case(self, name: str, level: Level, source: Source, *, expects: str) -> Callable[[Check], Check]:
        """Register a check; its docstring is the sentence."""

        def register(check: Check) -> Check:
            self.all.append(
                Case(id=name, level=level, source=source, says=_sentence(check), expects=expects, check=check)
            )
            return check

        return register

    def invalid(
        self, name: str, level: Level, source: Source, *, error_source: Source, error_level: Level = "must"
    ) -> Callable[[Callable[[Target], Request]], Callable[[Target], Request]]:
        """Register a request that a server cannot serve as two cases: it is refused, and the refusal is readable.

        The function builds the request; its docstring says what is wrong with it.

        Args:
            name: Id of the first case; the second one's is `name` with `.error-object` behind it.
            level: How binding the refusal is.
            source: What the request violates.
            error_source: What the specification says of a failure on this route.
            error_level: How binding that is.
        """

        def register(build: Callable[[Target], Request]) -> Callable[[Target], Request]:
            def refused(target: Target) -> None:
                answer = target.send(build(target))
                if not answer.is_error:
                    raise FailedError(f"the request was accepted with status {answer.status}")

            def error_object(target: Target) -> None:
                answer = target.send(build(target))
                if not answer.is_error:
                    raise NotApplicableError(f"the request was accepted; see {name}")
                answer.require_error_object()

            self.all.append(
                Case(
                    id=name,
                    level=level,
                    source=source,
                    says=_sentence(build),
                    expects="An HTTP error status (400 to 599).",
                    check=refused,
                )
            )
            self.all.append(
                Case(
                    id=f"{name}.error-object",
                    level=error_level,
                    source=error_source,
                    says=f"A failed request is answered with the error object. The request: {_sentence(build)}",
                    expects='A JSON object with a string that is not empty: {"error": "..."}.',
                    check=error_object,
                )
            )
            return build

        return register


def _sentence(function: Callable[..., object]) -> str:
    return " ".join((function.__doc__ or "").split())
