"""`tenantry audit all`: every report over one reading of the input."""

import typer

from tenantry.commands.audit.contracts import UNDECIDED, ContractOption, contract_and_text
from tenantry.commands.audit.options import (
    ContextOption,
    Format,
    FormatOption,
    Given,
    KubeconfigOption,
    NamespaceOption,
    PathsArgument,
    ReleaseNamespaceOption,
    ReleaseOption,
    ValuesOption,
    errors,
    read,
    show,
    with_values,
)
from tenantry.options import ClusterOption


def everything(
    paths: PathsArgument = None,
    *,
    contract: ContractOption = None,
    in_cluster: ClusterOption = None,
    values: ValuesOption = None,
    release: ReleaseOption = None,
    release_namespace: ReleaseNamespaceOption = "monitoring",
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Print every report about the input: from reach to paths, without diff and explain.

    It reads the input once, so it takes less time than the commands one by one. The exit code is 1 if the contract is
    violated or there is a path between its tenants, 3 if the input is not sufficient to decide, and 2 for wrong input.

    Example: tenantry audit all dist/ --format json
    """
    with errors():
        from audit.model.finding import State
        from audit.reports.all_report import all_report
        from audit.reports.paths_report import Result

        given = Given(paths, context, kubeconfig, default_namespace, cluster=in_cluster)
        wanted, _text = contract_and_text(contract, given)
        cluster = read(given, keep_going=False, details=True)
        report = all_report(with_values(cluster, values, release, release_namespace), wanted)
        show(report, output, cluster)
    states = {each.state for each in report.check.entries}
    if State.VIOLATION in states or report.paths.result is Result.FOUND:
        raise typer.Exit(1)
    if State.UNDECIDED in states or report.paths.result is Result.POSSIBLE:
        raise typer.Exit(UNDECIDED)
