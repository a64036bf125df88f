"""`tenantry audit paths`: the ways from one tenant to another."""

from typing import Annotated

import typer

from tenantry.commands.audit.contracts import UNDECIDED, ContractOption, contract_and_text
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
    ReleaseNamespaceOption,
    ReleaseOption,
    ServiceCidrOption,
    ValuesOption,
    errors,
    read,
    show,
    with_values,
)
from tenantry.errors import InputError
from tenantry.options import ClusterOption


def paths(
    paths: PathsArgument = None,
    *,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="Namespace in which paths begin; can be repeated for one tenant. Default: all tenants.",
        ),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option("--to", help="Namespace in which paths end; can be repeated. Default: every other namespace."),
    ] = None,
    contract: ContractOption = None,
    in_cluster: ClusterOption = None,
    values: ValuesOption = None,
    release: ReleaseOption = None,
    release_namespace: ReleaseNamespaceOption = "monitoring",
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
    """Show the shortest paths from a tenant's pods and accounts to pods, Secrets, accounts and metrics of others.

    Paths lead over the network, permissions, pods, nodes, metrics, and what is shared; each step has its lines. Without
    --from, from every tenant of the isolation contract to every other one, without traffic that it allows. The exit
    code is 0 if there is no path, 1 if there is one, 3 if one depends on what the input does not say, and 2 for wrong
    input.

    Example: tenantry audit paths dist/ --from tenant-a --to tenant-b
    """
    with errors():
        from audit.reports.paths_report import Result, paths_between, paths_report

        if targets and not sources:
            raise InputError("--to is for --from: name the namespace in which paths begin, too")
        if in_cluster and sources:
            raise InputError("--cluster is for all tenants of a cluster: leave it out, or leave --from out")
        if contract and sources:
            raise InputError("--contract names all tenants: leave it out, or leave --from out")
        given = Given(
            paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks, in_cluster
        )
        wanted = None if sources else contract_and_text(contract, given)[0]
        cluster = read(given, keep_going=keep_going, details=True)
        cluster = with_values(cluster, values, release, release_namespace)
        report = paths_between(cluster, wanted) if wanted else paths_report(cluster, sources or (), targets or ())
        show(report, output, cluster)
    if report.result is not Result.NONE:
        raise typer.Exit(1 if report.result is Result.FOUND else UNDECIDED)
