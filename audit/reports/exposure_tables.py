"""What workloads expose, as text, CSV and Markdown."""

import csv as csv_module
import io
from collections.abc import Iterator
from itertools import groupby

from audit.reports.exposure_report import ExposureReport
from audit.reports.finding import Finding
from audit.reports.reach_tables import table
from audit.reports.words import count, place

HEADER = ("workloads", "exposure", "verdict", "ports", "by", "place")


def text(report: ExposureReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: ExposureReport) -> Iterator[str]:
    yield f"{count(report.workloads, 'workload')}, {count(len(report.findings), 'finding')}"
    for policy in report.unsupported:
        yield f"not evaluated, so verdicts that it affects are unknown: {policy}"
    ordered = sorted(report.findings, key=lambda finding: finding.label)
    for label, findings in groupby(ordered, key=lambda finding: finding.label):
        group = list(findings)
        members = len(group[0].members)
        yield ""
        yield f"{label}: {count(members, 'workload')}" if members > 1 else label
        for finding in group:
            ports = f", {', '.join(finding.ports)}" if finding.ports else ""
            yield f"    {finding.verdict:<8} {finding.exposure}{ports}: {finding.by}"
            yield from (f"             {missing}" for missing in finding.missing)
            yield f"             {place(finding)}"


def _cells(finding: Finding) -> tuple[str, str, str, str, str]:
    return finding.exposure, finding.verdict, ", ".join(finding.ports), finding.by, place(finding)


def csv(report: ExposureReport) -> str:
    """One row per workload and finding."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for finding in report.findings:
        for member in finding.members:
            writer.writerow([member, *_cells(finding)])
    return out.getvalue().rstrip("\n")


def markdown(report: ExposureReport) -> str:
    """A table, one row per finding."""
    return table(HEADER, (_row(finding) for finding in report.findings))


def _row(finding: Finding) -> tuple[str, ...]:
    several = f" ({len(finding.members)})" if len(finding.members) > 1 else ""
    return f"{finding.label}{several}", *_cells(finding)
