"""The verdict about one connection as text and Markdown."""

from collections.abc import Iterator

from audit.reports.explain_report import ExplainReport, Side
from audit.reports.words import place


def text(report: ExplainReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: ExplainReport) -> Iterator[str]:
    yield f"{report.verdict}: {report.source} -> {report.destination}, {report.protocol} {report.port}"
    for note in report.notes:
        yield f"note: {note}"
    for side in report.sides:
        end = report.source if side.direction == "egress" else report.destination
        yield ""
        yield f"{side.direction} of {end}: {side.verdict}"
        yield from _side(side)


def _side(side: Side) -> Iterator[str]:
    for each in side.evidence:
        yield f"  {each.reason}"
        if each.file:
            yield f"    {': '.join(filter(None, (place(each), each.text or each.rule)))}"
    for needed in side.needed:
        yield f"  needed: {needed}" if not needed.startswith("nearest") else f"  {needed}"
    for missing in side.missing:
        yield f"  not known: {missing}"


def markdown(report: ExplainReport) -> str:
    """The report as a list."""
    lines = [
        f"**{report.verdict}**: `{report.source}` -> `{report.destination}`, {report.protocol} {report.port}",
        *(f"- note: {note}" for note in report.notes),
    ]
    for side in report.sides:
        lines += ["", f"**{side.direction}: {side.verdict}**", ""]
        for each in side.evidence:
            where = f" (`{place(each)}`: `{each.text or each.rule}`)" if each.file else ""
            lines.append(f"- {each.reason}{where}")
        lines += [f"- needed: {needed}" for needed in side.needed]
        lines += [f"- not known: {missing}" for missing in side.missing]
    return "\n".join(lines)
