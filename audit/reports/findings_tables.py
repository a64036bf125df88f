"""Findings as text, CSV, Markdown and SARIF."""

import csv as csv_module
import io
from collections import Counter
from collections.abc import Iterator

from audit.model.finding import State
from audit.reports.findings_report import Entry, FindingsReport
from audit.reports.metrics_report import MetricsReport
from audit.reports.reach_tables import table
from audit.reports.sarif import LEVELS, Result, document
from audit.reports.words import count, place

_NAMED = 3
_HEADER = ("state", "severity", "rule", "subject", "message", "fix", "place", "id")


def text(report: FindingsReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def summary(entries: list[Entry]) -> str:
    """How many findings of each state, as in "1 violation, 2 warnings"."""
    numbers = Counter(each.state for each in entries for _member in each.members)
    nouns = {State.VIOLATION: "violation", State.UNDECIDED: "undecided finding", State.WARNING: "warning"}
    return ", ".join(count(numbers[state], noun) for state, noun in nouns.items() if numbers[state]) or "no finding"


def _text(report: FindingsReport) -> Iterator[str]:
    yield f"{', '.join(report.checked)}: {summary(report.entries)}"
    for entry in report.entries:
        yield ""
        yield from entry_text(entry)


def entry_text(entry: Entry) -> Iterator[str]:
    """An entry for people: what is the case, where, and what to change."""
    several = f" ({count(len(entry.members), 'object')})" if len(entry.members) > 1 else ""
    yield f"{entry.state} {entry.severity} {entry.rule}: {entry.subject}{several}"
    yield f"    {entry.message}"
    for member in entry.members[:_NAMED]:
        yield f"    {place(member)}"
    if len(entry.members) > _NAMED:
        yield f"    and {len(entry.members) - _NAMED} more"
    yield f"    fix: {entry.fix}"


def csv(report: FindingsReport | MetricsReport) -> str:
    """One row per finding."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for entry in report.entries:
        for member in entry.members:
            what = (member.subject, member.message, entry.fix, place(member), member.id)
            writer.writerow([entry.state, entry.severity, entry.rule, *what])
    return out.getvalue().rstrip("\n")


def markdown(report: FindingsReport) -> str:
    """A table, one row per entry."""
    return table(_HEADER[:-1], (_row(each) for each in report.entries))


def _row(entry: Entry) -> tuple[str, ...]:
    several = f" ({len(entry.members)})" if len(entry.members) > 1 else ""
    places = ", ".join(place(member) for member in entry.members[:_NAMED])
    what = (f"{entry.subject}{several}", entry.message, entry.fix, places)
    return entry.state, entry.severity, entry.rule, *what


def sarif(report: FindingsReport | MetricsReport) -> str:
    """One result per finding, for code scanning."""
    rules = {each.rule: (each.fix, each.source) for each in report.entries}
    results = (
        Result(
            rule=entry.rule,
            level="note" if entry.state is State.WARNING else LEVELS[entry.severity],
            message=f"{member.subject}: {member.message}. {entry.fix}",
            file=member.file,
            line=member.line,
            fingerprint=member.id,
        )
        for entry in report.entries
        for member in entry.members
    )
    return document(rules, results)
