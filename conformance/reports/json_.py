"""The report for programs: everything, with bodies in full unless they are huge."""

import base64
import json
from typing import Any, Final

from conformance.messages import Exchange
from conformance.reports.words import command
from conformance.runner import Report, Result

_LONGEST: Final = 100_000
"""Bytes of a body that the report holds."""


def as_json(report: Report) -> str:
    """One JSON object; `results` has every case in the order in which it was asked."""
    return json.dumps(
        {
            "url": report.url,
            "server": report.server,
            "model": report.model,
            "version": report.version,
            "conforms": report.conforms,
            "counts": {
                level: {
                    outcome: report.count(outcome, level)
                    for outcome in ("passed", "failed", "unclear", "not applicable")
                }
                for level in ("must", "should", "unclear")
            },
            "results": [_result(result) for result in report.results],
        },
        ensure_ascii=False,
        indent=2,
    )


def _result(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "level": case.level,
        "outcome": result.outcome,
        "says": case.says,
        "source": {"document": case.source.document, "section": case.source.section, "url": case.source.url},
        "expects": case.expects,
        "detail": result.detail,
        "exchanges": [_exchange(exchange) for exchange in result.exchanges],
        "curl": command(result),
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    request, answer = exchange.request, exchange.answer
    return {
        "request": {
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "chunked": request.chunked,
            **_body(request.body or b""),
        },
        "response": answer and {"status": answer.status, "headers": dict(answer.headers), **_body(answer.body)},
        "problem": exchange.problem,
    }


def _body(body: bytes) -> dict[str, Any]:
    """A text as `body`, other bytes as `body_base64`, and how much of a huge body is left out."""
    kept = body[:_LONGEST]
    left_out = {"body_bytes_left_out": len(body) - len(kept)} if len(body) > len(kept) else {}
    try:
        return {"body": kept.decode(), **left_out}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(kept).decode(), **left_out}
