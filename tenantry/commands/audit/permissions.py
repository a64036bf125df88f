"""`tenantry audit permissions`: who may do what."""

from typing import TYPE_CHECKING, Annotated

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
from tenantry.errors import InputError

if TYPE_CHECKING:
    from audit.model.permissions import Request


def permissions(
    paths: PathsArgument = None,
    *,
    who_can: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--who-can",
            metavar="VERB RESOURCE",
            help="Only who may do this, such as: get secrets, create pods/exec, patch deployments.apps, get /metrics.",
        ),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="With --who-can: in this namespace, not the whole cluster.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--as", metavar="USER", help="Only this user: a name, or system:serviceaccount:NAMESPACE:NAME."),
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--as-group", help="With --as: a group of the user; can be repeated.")
    ] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Show what accounts, users and groups may do, where, and what follows from it.

    Roles, bindings and aggregation as the API server evaluates them. What every new cluster gives is reported
    separately.

    Example: tenantry audit permissions dist/ --who-can get secrets -n tenant-b
    """
    if who_can and user:
        raise InputError("--who-can and --as are two questions: ask one of them")
    if groups and not user:
        raise InputError("--as-group is for --as: name the user, too")
    if namespace and not who_can:
        raise InputError("--namespace is for --who-can: leave it out, or ask --who-can VERB RESOURCE")
    with errors():
        from audit.reports.permissions_report import permissions_report, who_can_report

        given = Given(paths, context, kubeconfig, default_namespace)
        cluster = read(given, keep_going=keep_going, details=True)
        if who_can:
            report = who_can_report(cluster, _request(*who_can, namespace or ""))
            show(report, output, cluster)
        else:
            show(permissions_report(cluster, user, groups or ()), output, cluster)


def _request(verb: str, what: str, namespace: str) -> "Request":
    """A request as kubectl writes it: RESOURCE[.GROUP][/SUBRESOURCE], or a path."""
    from audit.model.permissions import Request

    if what.startswith("/"):
        if namespace:
            raise InputError(f"the path {what} is in no namespace: leave --namespace out")
        return Request(verb=verb, path=what)
    full, _, subresource = what.partition("/")
    resource, _, group = full.partition(".")
    if not resource:
        raise InputError(f"{what!r} is not a resource: write secrets, pods/exec or deployments.apps")
    return Request(verb=verb, group=group, resource=resource, subresource=subresource, namespace=namespace)
