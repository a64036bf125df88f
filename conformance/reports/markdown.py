"""The report as Markdown, for an issue or a page."""

from conformance.reports.words import command, received, repeated, subject, verdict
from conformance.runner import Report, Result


def as_markdown(report: Report) -> str:
    """Counts per subject, failures with a command each, then what is unclear or does not apply."""
    parts = [f"# Open Inference Protocol conformance of {_inline(subject(report))}", "", f"{verdict(report)}.", ""]
    parts += _counts(report)
    repeats = repeated(report)
    if repeats:
        parts += ["Failures that may have one cause:", ""]
        parts += [*(f"- {count} times: {_inline(detail)}" for detail, count in repeats), ""]
    for level in ("must", "should"):
        failed = report.having("failed", level)
        if failed:
            parts += [f"## Failed: {level}", ""]
            parts += [line for result in failed for line in _failure(result)]
    rest = (
        ("Unclear in the specification", report.having("unclear")),
        ("Not applicable", report.having("not applicable")),
    )
    for title, found in rest:
        if found:
            parts += [f"## {title}", "", "| case | found |", "| --- | --- |"]
            parts += [f"| {result.case.id} | {cell(result.detail)} |" for result in found]
            parts += [""]
    return "\n".join(parts)


def _counts(report: Report) -> list[str]:
    subjects = list(dict.fromkeys(result.case.subject for result in report.results))
    lines = [
        "| subject | passed | must failed | should failed | unclear | not applicable |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in subjects:
        results = [result for result in report.results if result.case.subject == name]
        count = [
            sum(result.outcome == "passed" for result in results),
            sum(result.outcome == "failed" and result.case.level == "must" for result in results),
            sum(result.outcome == "failed" and result.case.level == "should" for result in results),
            sum(result.outcome == "unclear" for result in results),
            sum(result.outcome == "not applicable" for result in results),
        ]
        lines.append(f"| {name} | {' | '.join(map(str, count))} |")
    return [*lines, ""]


def _failure(result: Result) -> list[str]:
    case, exchange = result.case, result.decisive
    lines = [
        f"### {case.id}",
        "",
        f"{case.says} ([{case.source}]({case.source.url}))",
        "",
        f"- Expected: {case.expects}",
        f"- Found: {_inline(result.detail)}",
        "",
    ]
    if exchange is None:
        return lines
    answer = received(exchange.answer) if exchange.answer else exchange.problem
    return [*lines, *_fenced(command(result), "sh"), *_fenced(answer, "")]


def _fenced(text: str, language: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", text, fence, ""]


def _inline(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("`", "\\`").replace("\n", " ")


def cell(text: str) -> str:
    """A text of a server for a cell of a table."""
    return _inline(text).replace("|", "\\|")
