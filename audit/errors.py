"""What goes wrong in an audit: invalid input, and references to what the input does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass


class AuditError(Exception):
    """The audit cannot answer; the message says why and what to do."""


class SourceError(AuditError):
    """A cluster could not be read: kubectl is not there, or fails."""


class EndpointError(AuditError):
    """A source, destination or port is not in the input, or is ambiguous."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One defect of the input.

    Attributes:
        file: The file, as it was given; `<stdin>`, or `<objects>` for plain dicts.
        line: Line in the file, from 1; 0 for an object of a cluster.
        subject: The object, as in "NetworkPolicy tenant-a/default-deny"; empty where the text is not an object.
        message: What is wrong, with the value.
        rule: The rule that it breaks, and the fix.
    """

    file: str
    line: int
    subject: str
    message: str
    rule: str

    def __str__(self) -> str:
        subject = f"{self.subject}: " if self.subject else ""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {subject}{self.message}. {self.rule}"


class ReadError(AuditError):
    """The input is invalid.

    Attributes:
        problems: Every defect that was found, in the order of the input.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
