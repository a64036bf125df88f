"""`tenantry audit references`: references that lead nowhere."""

from typing import Annotated

import typer

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


def references(
    paths: PathsArgument = None,
    *,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Only this namespace.")] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Find selectors that match nothing, ports that no container has, and budgets that block every drain.

    A violation does not work; a warning has no effect where it stands. What may exist outside the input is not
    reported.

    Example: tenantry audit references dist/
    """
    with errors():
        from audit.reports.findings_report import findings_report
        from audit.reports.words import count
        from audit.wiring import broken_references

        cluster = read(Given(paths, context, kubeconfig, default_namespace), keep_going=keep_going, details=True)
        checked = [count(cluster.inventory.objects, "object")]
        found = broken_references(cluster.inventory)
        show(findings_report("references", cluster, found, checked, namespace), output, cluster)
