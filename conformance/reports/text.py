"""The report for a terminal: failures in full, the rest counted."""

import textwrap

from conformance.reports.words import command, received, repeated, sent, subject, verdict
from conformance.runner import Report, Result


def as_text(report: Report) -> str:
    """Failures with request, response and a command, then what is unclear, and the counts last."""
    parts = [f"Open Inference Protocol conformance of {subject(report)}", ""]
    repeats = repeated(report)
    if repeats:
        parts += ["Failures that may have one cause:", *(f"  {count} times: {detail}" for detail, count in repeats), ""]
    for level in ("must", "should"):
        for result in report.having("failed", level):
            parts += [failure(result), ""]
    unclear = report.having("unclear")
    if unclear:
        parts += ["The specification is unclear here; none of these is a failure:"]
        parts += [f"  {result.case.id}: {result.detail}" for result in unclear]
        parts += [""]
    reasons: dict[str, list[str]] = {}
    for result in report.having("not applicable"):
        reasons.setdefault(result.detail, []).append(result.case.id)
    if reasons:
        parts += ["Not applicable:"]
        parts += [f"  {reason}: {', '.join(ids)}" for reason, ids in reasons.items()]
        parts += [""]
    return "\n".join([*parts, verdict(report)])


def failure(result: Result) -> str:
    """All that there is to know about a failure."""
    case = result.case
    lines = [
        f"FAILED ({case.level}) {case.id}",
        f"  says      {case.says}",
        f"            {case.source}: {case.source.url}",
        f"  expected  {case.expects}",
        f"  found     {result.detail}",
    ]
    exchange = result.decisive
    if exchange is not None:
        lines += [_block("sent", sent(exchange.request))]
        lines += [_block("received", received(exchange.answer) if exchange.answer else exchange.problem)]
        lines += [f"  repeat    {command(result)}"]
    return "\n".join(lines)


def _block(name: str, text: str) -> str:
    return f"  {name:<10}" + textwrap.indent(text, " " * 12).lstrip()
