"""`tenantry audit reach`: who reaches whom."""

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
from tenantry.commands.audit.ports import port_number


def reach(
    paths: PathsArgument = None,
    *,
    source: Annotated[str | None, typer.Option("--from", help="Only this source: NAMESPACE/NAME.")] = None,
    destination: Annotated[
        str | None, typer.Option("--to", help="Only this destination: NAMESPACE/NAME, an address or a CIDR.")
    ] = None,
    port: Annotated[str | None, typer.Option(help="Only this port, such as 443 or UDP/53.")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only what begins or ends in this namespace.")
    ] = None,
    new_pods: Annotated[bool, typer.Option("--new-pods", help="Show pods that do not exist yet, too.")] = False,
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
    """Show what each workload can reach, with workloads of equal behaviour as one group.

    What is not listed is denied. Unknown means that YAML does not decide; the lines below say what is missing.

    Example: tenantry audit reach dist/ --from tenant-a/tenant-a-ml-inference
    """
    with errors():
        from audit.reports.reach_report import Filter, reach_report

        number, protocol = port_number(port)
        given = Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = read(given, keep_going=keep_going)
        wanted = Filter(
            source=source,
            destination=destination,
            port=number,
            protocol=protocol,
            namespace=namespace,
            new_pods=new_pods,
        )
        show(reach_report(cluster, wanted), output, cluster)
