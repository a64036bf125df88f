"""Collects what the tests check, how often, and the results, and writes the report."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from tests.e2e.promises import PROMISES

Result = Literal["kept", "broken", "not tested"]
SIGNS: Final[Mapping[Result, str]] = {"kept": "kept", "broken": "**BROKEN**", "not tested": "not tested"}


@dataclass
class Row:
    """One promise, and what the run found.

    Attributes:
        tests: Number of tests that ran.
        counts: Number of probes by kind, such as {"TCP connections": 24}.
        figures: Measurements by name.
        notes: Additional information.
        tables: Markdown tables, by title.
        untested: Why something could not be tested.
        failures: The tests that failed.
        tested: When it was tested, and at which commit.
    """

    tests: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    untested: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    tested: str = ""

    @property
    def result(self) -> Result:
        """Broken if any test failed; a promise without a test is not kept."""
        if self.failures:
            return "broken"
        return "kept" if self.tests else "not tested"


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
        """Keep a note, once."""
        if text not in self.rows[promise].notes:
            self.rows[promise].notes.append(text)

    def table(self, promise: str, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Keep a table."""
        lines = (header, ["---"] * len(header), *rows)
        self.rows[promise].tables[title] = "\n".join(f"| {' | '.join(each)} |" for each in lines)

    def not_tested(self, promise: str, why: str) -> None:
        """Keep why something could not be tested in this cluster."""
        if why not in self.rows[promise].untested:
            self.rows[promise].untested.append(why)

    @property
    def probes(self) -> int:
        """Number of probes of the run."""
        return sum(sum(row.counts.values()) for row in self.rows.values())

    def document(self) -> dict[str, Any]:
        """The whole report as plain values."""
        promises = [
            {"id": key, "promise": PROMISES[key], "result": row.result, **asdict(row)} for key, row in self.rows.items()
        ]
        return {"about": self.about, "probes": self.probes, "promises": promises}

    def markdown(self) -> str:
        """The report as Markdown."""
        total = {result: sum(row.result == result for row in self.rows.values()) for result in SIGNS}
        lines = [
            "# End-to-end report",
            "",
            *(f"- {key}: {value}" for key, value in self.about.items()),
            f"- promises: {total['kept']} kept, {total['broken']} broken, {total['not tested']} not tested",
            f"- probes: {self.probes:,}",
            "",
            "| promise | tests | when | result |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {PROMISES[key]} | {_tests(row)} | {row.tested or '-'} | {SIGNS[row.result]} |"
            for key, row in self.rows.items()
        ]
        for key, row in self.rows.items():
            if row.figures or row.notes or row.untested or row.failures or row.tables:
                lines += ["", f"## {PROMISES[key]}", ""]
                lines += [f"- BROKEN: {failure}" for failure in row.failures]
                lines += [f"- {name}: {value}" for name, value in row.figures.items()]
                lines += [f"- {note}" for note in row.notes]
                lines += [f"- not tested: {why}" for why in row.untested]
                lines += [text for title, table in row.tables.items() for text in ("", f"### {title}", "", table)]
        return "\n".join(lines) + "\n"

    def merge(self, directory: Path) -> None:
        """Take the rows of the existing report that had more tests than this run; each says when it was tested."""
        before = json.loads((directory / "e2e-report.json").read_text("utf-8"))
        for each in before["promises"]:
            row = self.rows.get(each["id"])
            if row is not None and not row.failures and row.tests < each["tests"]:
                known = {name: value for name, value in each.items() if name in Row.__dataclass_fields__}
                row = self.rows[each["id"]] = Row(**known)
                row.tested = row.tested or _tested_at(before["about"])

    def write(self, directory: Path) -> None:
        """Write e2e-report.json and e2e-report.md."""
        directory.mkdir(parents=True, exist_ok=True)
        for row in self.rows.values():
            if row.tests or row.failures:
                row.tested = row.tested or _tested_at(self.about)
        text = json.dumps(self.document(), indent=1, ensure_ascii=False)
        (directory / "e2e-report.json").write_text(text + "\n", "utf-8")
        (directory / "e2e-report.md").write_text(self.markdown(), "utf-8")


def _tested_at(about: Mapping[str, Any]) -> str:
    return f"{about['at']}, commit {about.get('commit', 'unknown')}"


def _tests(row: Row) -> str:
    if not row.tests:
        return "; ".join(row.untested) or "not part of this run"
    counts = ", ".join(f"{number:,} {what}" for what, number in row.counts.items())
    return f"{row.tests} tests" + (f": {counts}" if counts else "")
