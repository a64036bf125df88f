"""`tenantry audit benchmarks`: the Multi-Tenancy Benchmarks, per tenant."""

from typing import Annotated

import typer

from tenantry.commands.audit.contracts import UNDECIDED, ContractOption, contract_and_text
from tenantry.commands.audit.options import (
    ContextOption,
    Format,
    FormatOption,
    Given,
    KeepGoingOption,
    KubeconfigOption,
    NamespaceOption,
    PathsArgument,
    errors,
    read,
    show,
)
from tenantry.errors import InputError
from tenantry.options import ClusterOption


def benchmarks(
    paths: PathsArgument = None,
    *,
    contract: ContractOption = None,
    in_cluster: ClusterOption = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Check every tenant against the Multi-Tenancy Benchmarks of Kubernetes' working group.

    Each check passes, fails, is unknown (the input is not sufficient), or is not applicable, with a reason. The exit
    code is 1 if a check fails, otherwise 3 if one is unknown, otherwise 0; 2 for wrong input.

    Example: tenantry audit benchmarks dist/
    """
    with errors():
        from audit.benchmarks import Outcome, results
        from audit.reports.benchmarks_report import benchmarks_report

        given = Given(paths, context, kubeconfig, default_namespace, cluster=in_cluster)
        wanted, _text = contract_and_text(contract, given)
        names = [each.name for each in wanted.spec.tenants]
        if tenant is not None and tenant not in names:
            raise InputError(f"the contract has no tenant {tenant!r}; it has {', '.join(names)}")
        shown = names if tenant is None else [tenant]
        cluster = read(given, keep_going=keep_going, details=True)
        report = benchmarks_report(cluster, results(wanted, cluster), shown)
        show(report, output, cluster)
        outcomes = {group.outcome for check in report.checks for group in check.groups}
    if Outcome.FAIL in outcomes or Outcome.UNKNOWN in outcomes:
        raise typer.Exit(1 if Outcome.FAIL in outcomes else UNDECIDED)
