"""Consequences of permissions, as SARIF 2.1.0 for code scanning."""

from audit.permissions.consequences import ALL
from audit.reports.permissions_report import PermissionsReport
from audit.reports.sarif import LEVELS, Result, document


def sarif(report: PermissionsReport) -> str:
    """One result per holder and consequence that the input gives."""
    rules = {each.name: (each.sentence, each.source) for each in ALL.values()}
    results = [
        Result(
            rule=each.rule,
            level=LEVELS[each.severity],
            message=f"{holder.label} {each.sentence}, in {each.where}",
            file=each.file,
            line=each.line,
            fingerprint=f"{each.rule}/{holder.label}/{each.where}",
        )
        for holder in report.holders
        for each in holder.consequences
    ]
    return document(rules, results)
