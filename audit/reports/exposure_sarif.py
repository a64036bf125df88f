"""What workloads expose, as SARIF 2.1.0 for code scanning."""

import json
from typing import Any, Final

from audit.engine.answer import Verdict
from audit.reports.exposure_report import ExposureReport
from audit.reports.finding import Exposure, Finding

_RULES: Final = {
    Exposure.CLUSTER: "Pods of other namespaces reach the workload",
    Exposure.ADDRESSES: "Addresses outside the cluster reach the workload",
    Exposure.NODES: "Nodes reach the workload",
    Exposure.SERVICE: "A Service opens the workload on nodes or external addresses",
    Exposure.ROUTE: "A route leads to the workload",
    Exposure.UNRESTRICTED_INGRESS: "No policy restricts the workload's ingress",
    Exposure.UNRESTRICTED_EGRESS: "No policy restricts the workload's egress",
    Exposure.HOST_NETWORK: "The workload uses its node's network",
}
_LEVELS: Final = {Verdict.ALLOWED: "warning", Verdict.UNKNOWN: "note", Verdict.DENIED: "note"}


def sarif(report: ExposureReport) -> str:
    """The report as SARIF; one result per finding."""
    rules = [{"id": rule, "shortDescription": {"text": text}} for rule, text in _RULES.items()]
    run = {
        "tool": {"driver": {"name": "tenantry audit", "rules": rules}},
        "results": [_result(finding) for finding in report.findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2)


def _result(finding: Finding) -> dict[str, Any]:
    several = f" ({len(finding.members)} workloads)" if len(finding.members) > 1 else ""
    ports = f", {', '.join(finding.ports)}" if finding.ports else ""
    location: dict[str, Any] = {
        "artifactLocation": {"uri": finding.file.replace("\\", "/")},
        "region": {"startLine": max(finding.line, 1)},
    }
    return {
        "ruleId": finding.exposure,
        "level": _LEVELS[finding.verdict],
        "message": {"text": f"{finding.label}{several}: {finding.verdict}{ports}: {finding.by}"},
        "locations": [{"physicalLocation": location}],
        # The same finding keeps its identity when lines move.
        "partialFingerprints": {"exposure/v1": f"{finding.exposure}/{finding.label}/{finding.by}"},
    }
