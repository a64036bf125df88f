"""Every report about one input."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from audit.benchmarks import results
from audit.cluster import Cluster
from audit.contract import Contract, contract_findings
from audit.contract.waivers import without_known
from audit.metrics import Metrics
from audit.pods import pod_findings
from audit.reports.benchmarks_report import BenchmarksReport, benchmarks_report
from audit.reports.exposure_report import ExposureReport, exposure_report
from audit.reports.findings_report import FindingsReport, findings_report
from audit.reports.metrics_report import MetricsReport, metrics_report
from audit.reports.paths_report import PathsReport, paths_between
from audit.reports.permissions_report import PermissionsReport, permissions_report
from audit.reports.reach_report import Filter, ReachReport, reach_report
from audit.reports.words import count
from audit.wiring import broken_references

SCHEMA: Final = "tenantry.dev/audit/all/v1"


class AllReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Every report, in the form of its own command.

    Attributes:
        schema: Name and version of this form.
        reach: Who reaches whom.
        exposure: What workloads expose.
        permissions: Who may do what.
        pods: What pod templates are allowed and lack.
        references: Broken references.
        metrics: Who scrapes and queries whom.
        check: How the input differs from the contract.
        benchmarks: The Multi-Tenancy Benchmarks, per tenant.
        paths: The paths between the tenants of the contract.
    """

    schema: str = SCHEMA
    reach: ReachReport
    exposure: ExposureReport
    permissions: PermissionsReport
    pods: FindingsReport
    references: FindingsReport
    metrics: MetricsReport
    check: FindingsReport
    benchmarks: BenchmarksReport
    paths: PathsReport


def all_report(cluster: Cluster, contract: Contract) -> AllReport:
    """Every report.

    Args:
        cluster: The cluster, read in detail.
        contract: What is meant to be possible; its waivers count.
    """
    workloads = [count(len(cluster.workloads), "workload")]
    tenants = [f"{count(len(contract.spec.tenants), 'tenant')}, contract {contract.metadata.name}"]
    known = without_known(contract_findings(contract, cluster), contract, set(), datetime.now(UTC).date())
    names = [each.name for each in contract.spec.tenants]
    objects = [count(cluster.inventory.objects, "object")]
    return AllReport(
        reach=reach_report(cluster, Filter()),
        exposure=exposure_report(cluster),
        permissions=permissions_report(cluster),
        pods=findings_report("pods", cluster, pod_findings(cluster.inventory), workloads),
        references=findings_report("references", cluster, broken_references(cluster.inventory), objects),
        metrics=metrics_report(Metrics(cluster)),
        check=findings_report("check", cluster, known.rest, tenants),
        benchmarks=benchmarks_report(cluster, results(contract, cluster), names),
        paths=paths_between(cluster, contract),
    )
