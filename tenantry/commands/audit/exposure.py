"""`tenantry audit exposure`: what workloads expose beyond their namespace."""

from typing import Annotated

import typer

from tenantry.commands.audit.options import (
    BlocksOption,
    ContextOption,
    Format,
    FormatOption,
    Given,
    KeepGoingOption,
    KubeconfigOption,
    NamespaceOption,
    NodeCidrOption,
    PathsArgument,
    PodCidrOption,
    ServiceCidrOption,
    errors,
    read,
    show,
)


def exposure(
    paths: PathsArgument = None,
    *,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only the workloads of this namespace.")
    ] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
    pod_cidr: PodCidrOption = None,
    service_cidr: ServiceCidrOption = None,
    node_cidr: NodeCidrOption = None,
    blocks: BlocksOption = None,
) -> None:
    """Show what each workload exposes beyond its namespace, and which workloads no policy restricts.

    To pods of other namespaces, to addresses outside, to nodes, through Services and through routes.

    Example: tenantry audit exposure dist/ --format sarif
    """
    with errors():
        from audit.reports.exposure_report import exposure_report

        given = Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = read(given, keep_going=keep_going)
        show(exposure_report(cluster, namespace), output, cluster)
