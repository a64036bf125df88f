"""The report as JUnit XML, which continuous integration shows.

A must that failed is a failure. Everything else that did not pass is skipped, with the outcome in the message: a should
that failed does not make a server fail.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

from conformance.reports.words import command, received, sent, subject
from conformance.runner import Report, Result

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, not even escaped."""


def as_junit(report: Report) -> str:
    """A test suite per subject, a test case per case."""
    root = ET.Element("testsuites", name=f"Open Inference Protocol: {subject(report)}")
    by_subject: dict[str, list[Result]] = {}
    for result in report.results:
        by_subject.setdefault(result.case.subject, []).append(result)
    for name, results in by_subject.items():
        failures = [result for result in results if _fails(result)]
        skipped = [result for result in results if result.outcome != "passed" and not _fails(result)]
        suite = ET.SubElement(
            root, "testsuite", name=name, tests=str(len(results)), failures=str(len(failures)),
            errors="0", skipped=str(len(skipped)),
        )  # fmt: skip
        for result in results:
            _add(suite, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")


def _fails(result: Result) -> bool:
    return result.outcome == "failed" and result.case.level == "must"


def _add(suite: ET.Element, result: Result) -> None:
    case = result.case
    element = ET.SubElement(suite, "testcase", classname=f"oip.{case.subject}", name=case.id)
    if result.outcome == "passed":
        return
    if _fails(result):
        child = ET.SubElement(element, "failure", type=case.level, message=_clean(result.detail))
    else:
        outcome = f"{case.level} failed" if result.outcome == "failed" else result.outcome
        child = ET.SubElement(element, "skipped", message=_clean(f"{outcome}: {result.detail}"))
    child.text = _clean(_story(result))


def _story(result: Result) -> str:
    case, exchange = result.case, result.decisive
    lines = [f"{case.says} ({case.source}: {case.source.url})", f"expected: {case.expects}", f"found: {result.detail}"]
    if exchange is not None:
        lines += ["", sent(exchange.request), "", received(exchange.answer) if exchange.answer else exchange.problem]
        lines += ["", command(result)]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
