"""The report of who reaches whom as text, CSV and Markdown."""

import csv as csv_module
import io
from collections.abc import Iterator

from audit.reports.reach_report import Line, ReachReport, Source
from audit.reports.words import count

_INDENT = "    "
_NAMED = 8
_WIDEST = 24
"""Longer lists of ports do not widen the column."""


def text(report: ReachReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: ReachReport) -> Iterator[str]:
    workloads, namespaces = count(report.workloads, "workload"), count(report.namespaces, "namespace")
    groups = count(len(report.sources), "group")
    yield f"{workloads} in {namespaces}, {count(report.policies, 'policy')}: {groups} of equal behaviour"
    for policy in report.unsupported:
        yield f"not evaluated, so verdicts that it affects are unknown: {policy}"
    for source in report.sources:
        yield ""
        yield _heading(source)
        if not source.reaches:
            yield f"{_INDENT}reaches nothing"
        lengths = [len(", ".join(line.ports)) for line in source.reaches]
        ports = max((length for length in lengths if length <= _WIDEST), default=0)
        for line in source.reaches:
            yield f"{_INDENT}{line.verdict:<8} {', '.join(line.ports):<{ports}}  {_destination(line)}"
            for missing in line.missing:
                yield f"{_INDENT}{'':<8} {missing}"


def _heading(source: Source) -> str:
    if len(source.members) == 1:
        return source.members[0]
    more = ", ..." if len(source.members) > _NAMED else ""
    noun = "namespace" if source.members[0].endswith("/*") else "workload"
    return f"{source.label}: {count(len(source.members), noun)} ({', '.join(source.members[:_NAMED])}{more})"


def _destination(line: Line) -> str:
    several = len(line.members) > 1 and line.members[0] not in line.destination
    return f"{line.destination} ({len(line.members)})" if several else line.destination


def rows(report: ReachReport) -> Iterator[tuple[str, str, str, str, str]]:
    """Lines as cells: source, verdict, ports, destination, what is missing."""
    for source in report.sources:
        label = source.label if len(source.members) == 1 else f"{source.label} ({len(source.members)})"
        for line in source.reaches:
            yield label, line.verdict, ", ".join(line.ports), _destination(line), "; ".join(line.missing)


HEADER = ("source", "verdict", "ports", "destination", "missing")


def csv(report: ReachReport) -> str:
    """One row per member of a group and line."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for source in report.sources:
        for member in source.members:
            for line in source.reaches:
                cells = (", ".join(line.ports), line.destination, "; ".join(line.missing))
                writer.writerow([member, line.verdict, *cells])
    return out.getvalue().rstrip("\n")


def markdown(report: ReachReport) -> str:
    """A table, one row per line."""
    return table(HEADER, rows(report))


def table(header: tuple[str, ...], cells: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
    return "\n".join(lines)
