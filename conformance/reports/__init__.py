"""The report in the forms that people and programs read."""

from collections.abc import Callable
from typing import Final

from conformance.reports.json_ import as_json
from conformance.reports.junit import as_junit
from conformance.reports.markdown import as_markdown
from conformance.reports.text import as_text
from conformance.runner import Report

FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "markdown": as_markdown,
}

__all__ = ["FORMATS", "as_json", "as_junit", "as_markdown", "as_text"]
