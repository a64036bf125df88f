"""`tenantry audit metrics`: who scrapes whom, and who can read and forge which metrics."""

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
    ReleaseNamespaceOption,
    ReleaseOption,
    ValuesOption,
    errors,
    read,
    show,
    with_values,
)


def metrics(
    paths: PathsArgument = None,
    *,
    values: ValuesOption = None,
    release: ReleaseOption = None,
    release_namespace: ReleaseNamespaceOption = "monitoring",
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Only this namespace.")] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Show which Prometheus selects which monitors and rules, who can query it, and whose alerts go where.

    Findings are monitors that scrape other namespaces or set labels of others, tenants that can query Prometheus,
    routes that get the alerts of others, and scrapes that policies deny.

    Example: tenantry audit metrics dist/ --values values.yaml
    """
    with errors():
        from audit.metrics import Metrics
        from audit.reports.metrics_report import metrics_report

        cluster = read(Given(paths, context, kubeconfig, default_namespace), keep_going=keep_going, details=True)
        cluster = with_values(cluster, values, release, release_namespace)
        show(metrics_report(Metrics(cluster), namespace), output, cluster)
