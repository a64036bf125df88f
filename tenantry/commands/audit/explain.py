"""`tenantry audit explain`: why one connection is allowed or denied."""

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
from tenantry.commands.audit.ports import named_port


def explain(
    source: Annotated[str, typer.Argument(metavar="FROM", help="NAMESPACE/NAME, NAMESPACE/*, an address or node.")],
    destination: Annotated[
        str, typer.Argument(metavar="TO", help="The same, or NAMESPACE/service/NAME for a Service.")
    ],
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="Number or name of the port, such as 443, http or UDP/53.")
    ],
    paths: PathsArgument = None,
    *,
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
    r"""Say whether one connection is allowed, denied or unknown, with each deciding policy, file and line.

    A denial says what would have to allow the connection, an unknown what is missing. NAMESPACE/* is a pod that does
    not exist yet, with any labels; NAMESPACE/\[key=value] is one with exactly these labels.

    Example: tenantry audit explain tenant-a/tenant-a-ml-inference tenant-b/tenant-b-ml-inference 8000 dist/
    """
    with errors():
        from audit.reports.explain_report import explain_report

        number, protocol = named_port(port)
        given = Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = read(given, keep_going=keep_going)
        answer = cluster.verdict(source, destination, number, protocol)
        show(explain_report(answer), output, cluster)
