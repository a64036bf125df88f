"""What was asked, how often, and what came back: collected while the tests run, written as the report."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from tests.e2e.promises import PROMISES

Result = Literal["kept", "broken", "not asked"]
SIGNS: Final[Mapping[Result, str]] = {"kept": "kept", "broken": "**BROKEN**", "not asked": "not asked"}


@dataclass
class Row:
    """One promise, and what the run found out about it.

    Attributes:
        tests: Tests that asked; a test without any probe counted counts as one.
        counts: Probes by what they were, as in {"TCP connections": 24}.
        figures: What was measured, by name.
        notes: What a reader must know.
        unasked: Why something could not be asked.
        failures: The tests that found it broken.
        asked: When, and of which commit.
    """

    tests: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    asked: str = ""

    @property
    def result(self) -> Result:
        """Broken if any test failed; not asked is not kept."""
        if self.failures:
            return "broken"
        return "kept" if self.tests else "not asked"


class Evidence:
    """A run's findings, promise by promise."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {promise: Row() for promise in PROMISES}
        self.began = datetime.now(UTC)
        self.about: dict[str, Any] = {"at": self.began.isoformat(timespec="seconds"), "machine": platform.machine()}

    def count(self, promise: str, what: str, number: int = 1) -> None:
        """Add probes of a kind."""
        counts = self.rows[promise].counts
        counts[what] = counts.get(what, 0) + number

    def figure(self, promise: str, name: str, value: Any) -> None:
        """Keep a measurement."""
        self.rows[promise].figures[name] = value

    def note(self, promise: str, text: str) -> None:
        """Keep what a reader must know, once."""
        if text not in self.rows[promise].notes:
            self.rows[promise].notes.append(text)

    def not_asked(self, promise: str, why: str) -> None:
        """Keep why something could not be asked here."""
        if why not in self.rows[promise].unasked:
            self.rows[promise].unasked.append(why)

    @property
    def probes(self) -> int:
        """All probes of the run."""
        return sum(sum(row.counts.values()) for row in self.rows.values())

    def document(self) -> dict[str, Any]:
        """The whole report as plain values."""
        promises = [
            {"id": key, "promise": PROMISES[key], "result": row.result, **asdict(row)} for key, row in self.rows.items()
        ]
        return {"about": self.about, "probes": self.probes, "promises": promises}

    def markdown(self) -> str:
        """The same for people."""
        total = {result: sum(row.result == result for row in self.rows.values()) for result in SIGNS}
        lines = [
            "# What a real cluster answered",
            "",
            *(f"- {key}: {value}" for key, value in self.about.items()),
            f"- promises: {total['kept']} kept, {total['broken']} broken, {total['not asked']} not asked",
            f"- probes: {self.probes:,}",
            "",
            "| promise | asked | when | result |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {PROMISES[key]} | {_asked(row)} | {row.asked or '-'} | {SIGNS[row.result]} |"
            for key, row in self.rows.items()
        ]
        for key, row in self.rows.items():
            if row.figures or row.notes or row.unasked or row.failures:
                lines += ["", f"## {PROMISES[key]}", ""]
                lines += [f"- BROKEN: {failure}" for failure in row.failures]
                lines += [f"- {name}: {value}" for name, value in row.figures.items()]
                lines += [f"- {note}" for note in row.notes]
                lines += [f"- not asked: {why}" for why in row.unasked]
        return "\n".join(lines) + "\n"

    def merge(self, directory: Path) -> None:
        """Take the rows that this run has not asked from the report that is there; each says when it was asked."""
        before = json.loads((directory / "e2e-report.json").read_text("utf-8"))
        for each in before["promises"]:
            row = self.rows.get(each["id"])
            if row is not None and not (row.tests or row.failures):
                known = {name: value for name, value in each.items() if name in Row.__dataclass_fields__}
                row = self.rows[each["id"]] = Row(**known)
                row.asked = row.asked or _asked_at(before["about"])

    def write(self, directory: Path) -> None:
        """Write e2e-report.json and e2e-report.md."""
        directory.mkdir(parents=True, exist_ok=True)
        for row in self.rows.values():
            if row.tests or row.failures:
                row.asked = row.asked or _asked_at(self.about)
        text = json.dumps(self.document(), indent=1, ensure_ascii=False)
        (directory / "e2e-report.json").write_text(text + "\n", "utf-8")
        (directory / "e2e-report.md").write_text(self.markdown(), "utf-8")


def _asked_at(about: Mapping[str, Any]) -> str:
    return f"{about['at']}, commit {about.get('commit', 'unknown')}"


def _asked(row: Row) -> str:
    if not row.tests:
        return "; ".join(row.unasked) or "not in this run"
    counts = ", ".join(f"{number:,} {what}" for what, number in row.counts.items())
    return f"{row.tests} tests" + (f": {counts}" if counts else "")
