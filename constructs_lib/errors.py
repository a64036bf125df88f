"""The errors of wrong input. Imports nothing that takes time, so that a synthesis without changes is fast."""

from dataclasses import dataclass
from pathlib import Path


class PropsError(ValueError):
    """An invalid property of a construct; the message names the property, its value, the rule and the fix."""


@dataclass(frozen=True, kw_only=True, order=True)
class Mistake:
    """One mistake.

    Args:
        line: line in the file, from 1.
        column: column in that line, from 1.
        field: path of the key, such as `tenants[0].autoscaling.minReplicas`; empty for the file itself.
        value: the value in the file, as text; empty if there is none.
        rule: the rule that the value breaks.
        fix: what to do.
    """

    line: int
    column: int
    field: str
    value: str
    rule: str
    fix: str


class PlatformError(Exception):
    """A `platform.yaml` that is not valid; the message lists every mistake."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.mistakes)
        head = f"{self.path} is not valid ({count} mistake{'s' if count > 1 else ''})"
        return "\n\n".join([head, *map(self._entry, self.mistakes)])

    def _entry(self, mistake: Mistake) -> str:
        subject = " = ".join(part for part in (mistake.field, mistake.value) if part)
        return (
            f"{self.path}:{mistake.line}:{mistake.column}: {subject}".rstrip(": ")
            + f"\n  rule: {mistake.rule}\n  fix:  {mistake.fix}"
        )
