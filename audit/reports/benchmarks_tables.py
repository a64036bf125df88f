"""The Multi-Tenancy Benchmarks as text, CSV and Markdown."""

import csv as csv_module
import io
from collections import Counter
from collections.abc import Iterator
from typing import Final

from audit.benchmarks import Outcome
from audit.reports.benchmarks_report import BenchmarksReport, Check, Group
from audit.reports.reach_tables import table
from audit.reports.words import count, place

_NAMED: Final = 3
_DECIDING: Final = {Outcome.FAIL, Outcome.UNKNOWN}


def text(report: BenchmarksReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: BenchmarksReport) -> Iterator[str]:
    numbers = Counter(group.outcome for check in report.checks for group in check.groups for _member in group.members)
    summary = ", ".join(f"{numbers[outcome]:,} {outcome}" for outcome in Outcome if numbers[outcome])
    yield f"{count(len(report.checks), 'check')} of {count(len(report.tenants), 'tenant')}: {summary}"
    yield ""
    width = max(len(each.name) for each in report.checks)
    for check in report.checks:
        for group in check.groups:
            tenants = _tenants(group, report) and f" ({_tenants(group, report)})"
            yield f"{group.outcome:<14}  {check.name:<{width}}  {group.reason}{tenants}"
            if group.outcome in _DECIDING:
                yield from (f"{'':<14}  {place(each)}" for each in group.members[:_NAMED] if each.file)


def _tenants(group: Group, report: BenchmarksReport) -> str:
    """Which tenants, where they are not all."""
    if len(group.members) == len(report.tenants):
        return ""
    more = f" and {len(group.members) - _NAMED} more" if len(group.members) > _NAMED else ""
    return ", ".join(each.tenant for each in group.members[:_NAMED]) + more


def csv(report: BenchmarksReport) -> str:
    """One row per tenant and check."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(("tenant", "check", "suite", "outcome", "reason", "place"))
    for check in report.checks:
        for group in check.groups:
            for each in group.members:
                writer.writerow([each.tenant, check.name, check.suite_id, group.outcome, each.reason, place(each)])
    return out.getvalue().rstrip("\n")


def markdown(report: BenchmarksReport) -> str:
    """A table, one row per check and outcome, with the names that other tools have for the check."""
    header = ("check", "suite", "outcome", "tenants", "reason", "kube-linter", "Kubescape", "Checkov")
    return table(header, (_row(check, group) for check in report.checks for group in check.groups))


def _row(check: Check, group: Group) -> tuple[str, ...]:
    others = (each or "-" for each in (check.kube_linter, check.kubescape, check.checkov))
    tenants = group.members[0].tenant if len(group.members) == 1 else str(len(group.members))
    return check.name, check.suite_id, group.outcome, tenants, group.reason, *others
