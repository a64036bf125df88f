"""Every report as text and Markdown, one after another."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from audit.reports import (
    benchmarks_tables,
    exposure_tables,
    findings_tables,
    metrics_tables,
    paths_tables,
    permissions_tables,
    reach_tables,
)
from audit.reports.all_report import AllReport

_MODULES: Final = {
    "reach": reach_tables,
    "exposure": exposure_tables,
    "permissions": permissions_tables,
    "pods": findings_tables,
    "references": findings_tables,
    "metrics": metrics_tables,
    "check": findings_tables,
    "benchmarks": benchmarks_tables,
    "paths": paths_tables,
}
"""The module that prints each part, with a function per format."""


def text(report: AllReport) -> str:
    """The reports for people."""
    return "\n\n".join(f"{name.upper()}\n{printed}" for name, printed in _parts(report, "text"))


def markdown(report: AllReport) -> str:
    """The reports as sections."""
    return "\n\n".join(f"## {name}\n\n{printed}" for name, printed in _parts(report, "markdown"))


def _parts(report: AllReport, form: str) -> Iterator[tuple[str, str]]:
    for name, module in _MODULES.items():
        printer: Callable[[Any], str] = getattr(module, form)
        yield name, printer(getattr(report, name))
