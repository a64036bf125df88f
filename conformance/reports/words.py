"""What several forms of the report say in the same words."""

from collections import Counter
from typing import Final

from conformance.curl import curl
from conformance.messages import Answer, Request
from conformance.runner import Report, Result

_REPEATED: Final = 3
"""How many failures with the same finding are worth a line of their own."""
_LONGEST: Final = 600
"""Characters of a body that a report shows."""
_HEADERS: Final = ("content-type", "inference-header-content-length", "allow", "connection")
"""Headers of an answer that a case may depend on."""


def subject(report: Report) -> str:
    """What was tested, in one line."""
    name = " ".join(str(report.server[key]) for key in ("name", "version") if report.server.get(key))
    version = f", version {report.version}" if report.version else ""
    return f"{report.url} ({name or 'no server metadata'}), model {report.model}{version}"


def verdict(report: Report) -> str:
    """The outcome, in one line."""
    if not report.results:
        return "no case was run"
    musts, shoulds = (_of(report, level) for level in ("must", "should"))
    word = "conforms" if report.conforms else "does not conform"
    rest = f"{report.count('unclear')} unclear, {report.count('not applicable')} not applicable"
    return f"{word}: {musts}, {shoulds}, {rest}"


def _of(report: Report, level: str) -> str:
    passed, failed = report.count("passed", level), report.count("failed", level)
    return f"{passed} of {passed + failed} {level} passed"


def repeated(report: Report) -> list[tuple[str, int]]:
    """The findings that several failures share, with their number: they may have one cause."""
    found = Counter(result.detail for result in report.having("failed"))
    return [(detail, count) for detail, count in found.most_common() if count >= _REPEATED]


def command(result: Result) -> str:
    """The command that sends the decisive request again, or an empty text."""
    exchange = result.decisive
    return curl(result.url, exchange.request) if exchange else ""


def sent(request: Request) -> str:
    """A request, shortened."""
    lines = [f"{request.method} {request.path}", *(f"{name}: {value}" for name, value in request.headers.items())]
    if request.chunked:
        lines.append("Transfer-Encoding: chunked")
    return "\n".join([*lines, *([shortened(request.body)] if request.body else [])])


def received(answer: Answer) -> str:
    """An answer, shortened."""
    headers = [f"{name}: {answer.headers[name]}" for name in _HEADERS if name in answer.headers]
    return "\n".join([f"status {answer.status}", *headers, shortened(answer.body) or "(no body)"])


def shortened(body: bytes) -> str:
    """A body as text: what cannot be printed is escaped, and the middle of a long one is left out."""
    half = _LONGEST // 2
    if len(body) > _LONGEST:
        return f"{_printable(body[:half])} ... ({len(body)} bytes) ... {_printable(body[-half:])}"
    return _printable(body)


def _printable(body: bytes) -> str:
    text = body.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
