"""`tenantry audit pods`: what pods are allowed to do, and what they lack."""

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


def pods(
    paths: PathsArgument = None,
    *,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Only this namespace.")] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Compare pod templates with the Pod Security Standards, and with what their namespaces enforce.

    Also requests and limits, mounted tokens, images without a digest, and quotas below what autoscalers ask for.

    Example: tenantry audit pods dist/
    """
    with errors():
        from audit.pods import pod_findings
        from audit.reports.findings_report import findings_report
        from audit.reports.words import count

        cluster = read(Given(paths, context, kubeconfig, default_namespace), keep_going=keep_going, details=True)
        checked = [count(len(cluster.workloads), "workload")]
        show(findings_report("pods", cluster, pod_findings(cluster.inventory), checked, namespace), output, cluster)
