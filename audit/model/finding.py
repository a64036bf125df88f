"""What an audit finds: one statement about the input, with its place, its severity and how to change it."""

import hashlib
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from audit.model.place import Place


class Severity(StrEnum):
    """How much a finding matters."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in the order, 0 for the worst."""
        return _ORDER.index(self)

    def worse(self) -> "Severity":
        """One step worse."""
        return _ORDER[max(0, self.rank - 1)]

    def milder(self) -> "Severity":
        """One step less bad."""
        return _ORDER[min(len(_ORDER) - 1, self.rank + 1)]


_ORDER: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


class State(StrEnum):
    """How certain a finding is, and of what."""

    VIOLATION = "violation"
    UNDECIDED = "undecided"
    WARNING = "warning"


class Finding(Struct, frozen=True, rename="camel", kw_only=True):
    """A finding.

    Attributes:
        rule: Stable name of the rule that found it.
        state: violation, undecided (the input is not sufficient), or warning (works, but probably not as meant).
        severity: How much it matters.
        namespace: The namespace that it concerns; empty for the whole cluster.
        subject: What it is about, as in "Deployment tenant-a/web".
        message: What is the case.
        fix: What to change.
        source: Address of the documentation that the rule follows, or empty.
        file: File of the line that causes it.
        line: That line, from 1; 0 for an object of a cluster.
    """

    rule: str
    state: State
    severity: Severity
    namespace: str
    subject: str
    message: str
    fix: str
    source: str
    file: str
    line: int

    @property
    def id(self) -> str:
        """Its identity, which stays when lines move and when the sentence about the fix is written better."""
        text = f"{self.rule}\n{self.subject}\n{self.message}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def pattern(self) -> tuple[str, str, str, str]:
        """What it has in common with the same finding about another tenant."""
        return self.rule, self.state, general(self.subject, self.namespace), general(self.message, self.namespace)


def general(text: str, namespace: str) -> str:
    """A text with `*` for the name of a namespace, also where it begins a longer name."""
    return re.sub(rf"(?<![A-Za-z0-9-]){re.escape(namespace)}(?![A-Za-z0-9])", "*", text) if namespace else text


def finding(
    place: Place,
    *,
    rule: str,
    severity: Severity,
    namespace: str,
    subject: str,
    message: str,
    fix: str,
    source: str = "",
    state: State = State.VIOLATION,
) -> Finding:
    """A finding at a place in the input."""
    return Finding(
        rule=rule,
        state=state,
        severity=severity,
        namespace=namespace,
        subject=subject,
        message=message,
        fix=fix,
        source=source,
        file=place.file,
        line=place.line,
    )
