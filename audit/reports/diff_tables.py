"""What a change does, as text and as Markdown for a pull request."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

from audit.changes.change import Effect
from audit.reports.diff_report import ChangeEntry, DiffReport
from audit.reports.reach_tables import table
from audit.reports.words import count

MOST: Final = 60_000
"""Most characters of the Markdown, so that it fits in a comment with something below it."""
_NOTES: Final = 400
"""Room for the lines about what is left out."""
_NAMED: Final = 3
_LONG: Final = 300
_LONGEST: Final = 600
"""Most characters of one invalid object."""
_HEADER: Final = ("risk", "what", "change", "where")
_MARKUP: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "`": "&#96;",
    "@": "&#64;",
    "*": "&#42;",
    "_": "&#95;",
    "[": "&#91;",
}


def text(report: DiffReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: DiffReport) -> Iterator[str]:
    yield f"{report.base} -> {report.head}: {headline(report)}"
    for heading, entries in _sections(report):
        yield ""
        yield heading
        for entry in entries:
            yield f"  {entry.risk:<8} {entry.area}: {_subject(entry)}: {_what(entry)}"
            yield f"           {_places(entry)}"


def headline(report: DiffReport) -> str:
    """The result in one line."""
    if report.problems:
        return f"{count(len(report.problems), 'invalid object')}, so what becomes possible is known only in part"
    opened = [each for each in report.security if each.effect is not Effect.LOST]
    worst = Counter(each.risk for each in opened)
    if not opened:
        return "nothing becomes more open" if report.security or report.rest else "nothing changes"
    numbers = ", ".join(f"{number} {risk}" for risk, number in sorted(worst.items(), key=lambda each: each[0].rank))
    return f"{count(len(opened), 'change')} to security ({numbers})"


def _sections(report: DiffReport) -> Iterator[tuple[str, list[ChangeEntry]]]:
    opened = [each for each in report.security if each.effect is not Effect.LOST]
    closed = [each for each in report.security if each.effect is Effect.LOST]
    if opened:
        yield "Becomes possible, or changes for security", opened
    if closed:
        yield "Is no longer possible", closed
    for area, entries in groupby(report.rest, key=lambda each: each.area):
        yield area.capitalize(), list(entries)


def markdown(report: DiffReport) -> str:
    """The report for a pull request: at most MOST characters; only what is not about security is left out."""
    parts = [f"### What this change does: {headline(report)}", f"`{report.base}` -> `{report.head}`"]
    parts += [f"**Invalid:** {_text_of(problem[:_LONGEST])}" for problem in report.problems[:20]]
    sections = list(_sections(report))
    security = [each for each in sections if each[1][0] in report.security]
    for form in (_full, _short, _counts):
        top = "\n\n".join([*parts, *(_section(heading, entries, form) for heading, entries in security)])
        if len(top) <= MOST - _NOTES:
            break
    for heading, entries in sections[len(security) :]:
        section = _folded(heading, entries)
        if len(top) + len(section) > MOST - _NOTES:
            top += f"\n\n{heading}: {count(len(entries), 'change')}, left out here because the comment is full"
            continue
        top += f"\n\n{section}"
    return top


def _section(heading: str, entries: list[ChangeEntry], form: Callable[[Sequence[ChangeEntry]], str]) -> str:
    return f"**{heading}**\n\n{form(entries)}"


def _folded(heading: str, entries: list[ChangeEntry]) -> str:
    summary = f"<summary>{heading}: {count(len(entries), 'change')}</summary>"
    return f"<details>{summary}\n\n{_full(entries)}\n\n</details>"


def _full(entries: Sequence[ChangeEntry]) -> str:
    """A row per change, with everything."""
    return table(
        _HEADER, ((_risk(each), _text_of(_subject(each)), _text_of(_what(each)), _places(each)) for each in entries)
    )


def _short(entries: Sequence[ChangeEntry]) -> str:
    """A row per change, with one place, and long texts cut."""
    rows = ((each.risk, _text_of(_subject(each)), _text_of(_what(each)[:_LONG]), each.places[0]) for each in entries)
    return table(_HEADER, rows)


def _counts(entries: Sequence[ChangeEntry]) -> str:
    """A row per risk and area, with the first change of each: for a great many changes that are all different."""
    groups: dict[tuple[str, str], list[ChangeEntry]] = {}
    for each in entries:
        groups.setdefault((each.risk, each.area), []).append(each)
    rows = (
        (
            risk,
            area,
            f"{len(group):,}",
            _text_of(f"{_subject(group[0])}: {_what(group[0])[:_LONG]} ({group[0].places[0]})"),
        )
        for (risk, area), group in groups.items()
    )
    return table(("risk", "area", "changes", "first of them"), rows)


def _text_of(text: str) -> str:
    """Text of the input that cannot become markup or a mention."""
    for char, instead in _MARKUP.items():
        text = text.replace(char, instead)
    return text


def _risk(entry: ChangeEntry) -> str:
    return f"**{entry.risk}**" if entry.risk in {"critical", "high"} else entry.risk


def _what(entry: ChangeEntry) -> str:
    return f"no longer: {entry.text}" if entry.effect is Effect.LOST and entry.area != "left behind" else entry.text


def _subject(entry: ChangeEntry) -> str:
    several = f" ({len(entry.namespaces):,} namespaces)" if len(entry.namespaces) > 1 else ""
    return f"{entry.subject}{several}"


def _places(entry: ChangeEntry) -> str:
    more = f" and {len(entry.places) - _NAMED:,} more" if len(entry.places) > _NAMED else ""
    return ", ".join(entry.places[:_NAMED]) + more
