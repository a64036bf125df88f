"""The formats of a report, and what cannot be printed in which."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from audit.errors import AuditError
from audit.reports import (
    all_tables,
    benchmarks_tables,
    diff_tables,
    explain_text,
    exposure_sarif,
    exposure_tables,
    findings_tables,
    metrics_tables,
    paths_picture,
    paths_tables,
    permissions_sarif,
    permissions_tables,
    pictures,
    reach_tables,
)
from audit.reports.all_report import AllReport
from audit.reports.benchmarks_report import BenchmarksReport
from audit.reports.diff_report import DiffReport
from audit.reports.explain_report import ExplainReport
from audit.reports.exposure_report import ExposureReport
from audit.reports.findings_report import FindingsReport
from audit.reports.metrics_report import MetricsReport
from audit.reports.paths_report import PathsReport
from audit.reports.permissions_report import PermissionsReport, WhoCanReport
from audit.reports.reach_report import ReachReport

Report = (
    ReachReport
    | ExplainReport
    | ExposureReport
    | PermissionsReport
    | WhoCanReport
    | FindingsReport
    | MetricsReport
    | BenchmarksReport
    | DiffReport
    | PathsReport
    | AllReport
)


class Format(StrEnum):
    """How to print a report."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    DOT = "dot"
    SVG = "svg"


def as_json(report: Report) -> str:
    """A report in the form that docs/audit.schema.json describes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


_PRINTERS: Final[Mapping[type, Mapping[Format, Callable[[Any], str]]]] = {
    ReachReport: {
        Format.TEXT: reach_tables.text,
        Format.JSON: as_json,
        Format.CSV: reach_tables.csv,
        Format.MARKDOWN: reach_tables.markdown,
        Format.DOT: pictures.dot,
        Format.SVG: pictures.svg,
    },
    ExplainReport: {
        Format.TEXT: explain_text.text,
        Format.JSON: as_json,
        Format.MARKDOWN: explain_text.markdown,
    },
    ExposureReport: {
        Format.TEXT: exposure_tables.text,
        Format.JSON: as_json,
        Format.CSV: exposure_tables.csv,
        Format.MARKDOWN: exposure_tables.markdown,
        Format.SARIF: exposure_sarif.sarif,
    },
    PermissionsReport: {
        Format.TEXT: permissions_tables.text,
        Format.JSON: as_json,
        Format.MARKDOWN: permissions_tables.markdown,
        Format.SARIF: permissions_sarif.sarif,
    },
    WhoCanReport: {
        Format.TEXT: permissions_tables.who_can_text,
        Format.JSON: as_json,
        Format.MARKDOWN: permissions_tables.who_can_markdown,
    },
    FindingsReport: {
        Format.TEXT: findings_tables.text,
        Format.JSON: as_json,
        Format.CSV: findings_tables.csv,
        Format.MARKDOWN: findings_tables.markdown,
        Format.SARIF: findings_tables.sarif,
    },
    MetricsReport: {
        Format.TEXT: metrics_tables.text,
        Format.JSON: as_json,
        Format.CSV: findings_tables.csv,
        Format.MARKDOWN: metrics_tables.markdown,
        Format.SARIF: findings_tables.sarif,
    },
    BenchmarksReport: {
        Format.TEXT: benchmarks_tables.text,
        Format.JSON: as_json,
        Format.CSV: benchmarks_tables.csv,
        Format.MARKDOWN: benchmarks_tables.markdown,
    },
    DiffReport: {
        Format.TEXT: diff_tables.text,
        Format.JSON: as_json,
        Format.MARKDOWN: diff_tables.markdown,
    },
    PathsReport: {
        Format.TEXT: paths_tables.text,
        Format.JSON: as_json,
        Format.MARKDOWN: paths_tables.markdown,
        Format.SVG: paths_picture.svg,
    },
    AllReport: {
        Format.TEXT: all_tables.text,
        Format.JSON: as_json,
        Format.MARKDOWN: all_tables.markdown,
    },
}


def printed(report: Report, form: Format) -> str:
    """A report in a format.

    Raises:
        AuditError: The report has no such format.
    """
    printers = _PRINTERS[type(report)]
    if form not in printers:
        raise AuditError(f"this report has no format {form}: choose one of {', '.join(printers)}")
    return printers[form](report)


def schema() -> dict[str, Any]:
    """The JSON Schema of every report, by name."""
    schemas, components = msgspec.json.schema_components(list(_PRINTERS), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reports of tenantry audit, version 1",
        "oneOf": list(schemas),
        "$defs": components,
    }
