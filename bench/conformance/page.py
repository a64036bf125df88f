"""What is generated in docs/conformance.md: the cases, the results of each server, and the places that are unclear."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.conformance.servers import Server
from conformance.case import Case
from conformance.cases import all_cases
from conformance.reports.markdown import cell
from conformance.runner import Report

PAGE: Final = Path("docs/conformance.md")
REPORTS: Final = Path("docs/conformance")
Reports = Mapping[str, Report]
"""A report per server, by name."""


def with_block(page: str, name: str, lines: Sequence[str]) -> str:
    """The page, with other lines between the markers of a block."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    found = re.search(rf"{re.escape(begin)}\n.*?{re.escape(end)}", page, re.DOTALL)
    if found is None:
        raise ValueError(f"{PAGE} has no block {begin} ... {end}")
    return page[: found.start()] + "\n".join([begin, *lines, end]) + page[found.end() :]


def cases_table() -> list[str]:
    """Every case with its level and its sentence."""
    rows = [f"| `{case.id}` | {case.level} | {_own(case.says)} | {_source(case)} |" for case in _sentences()]
    return ["| case | level | says | source |", "| --- | --- | --- | --- |", *rows]


def results_table(servers: Sequence[Server], reports: Reports) -> list[str]:
    """How many cases of each level passed, per server."""
    lines = [
        "| server | version | must | should | unclear | not applicable | failures |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for server in servers:
        report = reports[server.name]
        counts = [_passed(report, "must"), _passed(report, "should")]
        others = [str(report.count("unclear")), str(report.count("not applicable"))]
        failed = report.count("failed")
        link = f"[{failed}, each with a command](conformance/{server.name}.md)" if failed else "none"
        version = cell(str(report.server.get("version", "unknown")))
        lines.append(f"| {server.title} | {version} | {' | '.join(counts + others)} | {link} |")
    return [*lines, "", *(f"- {server.title}: {server.note}." for server in servers)]


def unclear_table(servers: Sequence[Server], reports: Reports) -> list[str]:
    """What each server does where the text allows several answers."""
    titles = " | ".join(server.title for server in servers)
    lines = [f"| case | why it is unclear | {titles} |", f"| --- | --- |{' --- |' * len(servers)}"]
    found = {server.name: {result.case.id: result for result in reports[server.name].results} for server in servers}
    for case in all_cases():
        results = [found[server.name][case.id] for server in servers]
        if case.level == "unclear":
            cells = [cell(result.detail) if result.outcome == "unclear" else "-" for result in results]
            lines.append(f"| `{case.id}` | {_own(case.expects)} | {' | '.join(cells)} |")
    return lines


def _passed(report: Report, level: str) -> str:
    passed = report.count("passed", level)
    return f"{passed} of {passed + report.count('failed', level)}"


def _sentences() -> list[Case]:
    """The cases without those of the error object, which all say the same."""
    return [case for case in all_cases() if not case.id.endswith(".error-object")]


def _own(text: str) -> str:
    """A text of a case for a cell of a table: its Markdown is ours."""
    return text.replace("|", "\\|")


def _source(case: Case) -> str:
    return f"[{_own(str(case.source))}]({case.source.url})"
