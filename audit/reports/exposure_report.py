"""What workloads expose beyond their namespace, in the form that every format prints."""

from msgspec import Struct

from audit.cluster import Cluster
from audit.reports.exposures import Exposures
from audit.reports.finding import Finding

SCHEMA = "tenantry.dev/audit/exposure/v1"


class ExposureReport(Struct, frozen=True, rename="camel", kw_only=True):
    """What workloads expose.

    Attributes:
        schema: Name and version of this form.
        workloads: Number of workloads.
        unsupported: Policies that are not evaluated, in words: they make verdicts unknown.
        problems: What is invalid in the input.
        findings: What is exposed.
    """

    schema: str = SCHEMA
    workloads: int
    unsupported: list[str]
    problems: list[str]
    findings: list[Finding]


def exposure_report(cluster: Cluster, namespace: str | None = None) -> ExposureReport:
    """What the workloads of a cluster, or of one namespace, expose.

    Args:
        cluster: The cluster.
        namespace: Only the workloads of this namespace.

    Raises:
        EndpointError: The input has no such namespace.
    """
    if namespace is not None:
        cluster.references.check_namespace(namespace)
    inventory = cluster.inventory
    shown = [each for each in inventory.workloads if namespace in {None, each.namespace}]
    findings = [
        finding
        for finding in Exposures(cluster).findings()
        if namespace is None or any(member.startswith(f"{namespace}/") for member in finding.members)
    ]
    return ExposureReport(
        workloads=len(shown),
        unsupported=[f"{each}: {each.reason}" for each in inventory.opaque],
        problems=[str(problem) for problem in cluster.problems],
        findings=findings,
    )
