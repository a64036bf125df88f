"""Who scrapes whom and who reads the metrics, as text and Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from audit.reports.findings_tables import entry_text, summary
from audit.reports.metrics_report import Line, MetricsReport, Reader, Selected, Server
from audit.reports.reach_tables import table
from audit.reports.words import Placed, count, place

_NAMED: Final = 3
_SCRAPES: Final = {
    "allowed": "policies allow the scrape",
    "denied": "policies do not allow the scrape",
    "unknown": "it is not known whether policies allow the scrape",
    "": "",
}


def text(report: MetricsReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: MetricsReport) -> Iterator[str]:
    kinds = [each.kind for each in report.servers]
    servers = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("Prometheus", "Alertmanager"))
    yield f"{servers}: {summary(report.entries)}"
    yield from (f"unknown: {each}" for each in report.missing)
    for server in report.servers:
        yield ""
        yield f"{server.reference} ({place(server)})"
        yield from (f"    {each}" for each in _server(server))
    if report.others:
        yield ""
        yield "selected by none of these, or not known:"
        for each in report.others:
            yield from (f"    {line}" for line in _selected(each, f"{each.selected:<7}"))
    for entry in report.entries:
        yield ""
        yield from entry_text(entry)


def _server(server: Server) -> Iterator[str]:
    yield from server.settings
    for each in server.selects:
        yield from _selected(each, "selects" if each.selected == "yes" else "may select")
    if not server.selects:
        yield "selects nothing that the input holds"
    if server.kind == "Prometheus" and not server.readers:
        yield "cannot be queried from outside its namespace, according to the input"
    for reader in server.readers:
        yield f"{_verb(reader)} by {reader.label}{_several(reader.members)}: {reader.text}"
        several = len(reader.members) > 1
        yield from _members(reader.members, [f"{each.subject}: " if several else "" for each in reader.members])


def _verb(reader: Reader) -> str:
    return "can be queried" if reader.verdict == "allowed" else "may be queried"


def _selected(given: Selected, verb: str) -> Iterator[str]:
    says = [_SCRAPES[given.scrape], f"receivers {', '.join(given.receivers)}" if given.receivers else ""]
    more = "; ".join(filter(None, says))
    yield f"{verb} {given.label}{_several(given.members)}{f': {more}' if more else ''}"
    yield from _members(given.members)


def _several(members: list[Line]) -> str:
    return f" ({count(len(members), 'object')})" if len(members) > 1 else ""


def _members(members: list[Line], before: Sequence[str] = ("",) * _NAMED) -> Iterator[str]:
    yield from (f"    {text}{place(each)}" for text, each in zip(before, members[:_NAMED], strict=False))
    if len(members) > _NAMED:
        yield f"    and {len(members) - _NAMED} more"


def markdown(report: MetricsReport) -> str:
    """A table: what is selected, who can query, and what should not be so."""
    return table(("server", "relation", "what", "verdict", "place"), _rows(report))


def _rows(report: MetricsReport) -> Iterator[tuple[str, ...]]:
    for server in report.servers:
        for each in server.selects:
            verdict = _SCRAPES[each.scrape] or each.selected
            yield server.reference, "selects", f"{each.label}{_several(each.members)}", verdict, _places(each.members)
        for reader in server.readers:
            what = f"{reader.label}{_several(reader.members)}: {reader.text}"
            yield server.reference, "queried by", what, reader.verdict, _places(reader.members)
    for each in report.others:
        yield "", "selected by none", f"{each.label}{_several(each.members)}", each.selected, _places(each.members)
    for entry in report.entries:
        what = f"{entry.subject}: {entry.message}"
        yield "", entry.rule, what, f"{entry.state} {entry.severity}", _places(entry.members)


def _places(members: Iterable[Placed]) -> str:
    return ", ".join(place(each) for each in islice(members, _NAMED))
