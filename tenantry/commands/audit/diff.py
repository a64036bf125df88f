"""`tenantry audit diff`: what a change does."""

from typing import Annotated

import typer

from tenantry.commands.audit.options import Format, FormatOption, NamespaceOption, errors, show
from tenantry.errors import InputError
from tenantry.options import DIST


def diff(
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="A folder or file, or a git revision, before the change.")
    ],
    head: Annotated[
        str | None,
        typer.Argument(metavar="[HEAD]", help=f"The same after the change. Default: {DIST} as it is now."),
    ] = None,
    *,
    paths: Annotated[
        list[str] | None, typer.Option("--path", help=f"What to read of a revision; can be repeated. Default: {DIST}.")
    ] = None,
    output: FormatOption = Format.TEXT,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Show what a change makes possible and impossible, by whom and by which line, then every other change.

    Network, permissions, pods, metrics and names of other tenants first, the worst first; then capacity, alert
    thresholds, what kubectl apply would leave behind, and every other value. The same change to many tenants is one
    entry. Markdown has at most 60,000 characters, and never leaves out what is about security.

    Example: tenantry audit diff origin/main --format markdown
    """
    with errors():
        from audit import read
        from audit.changes import changes
        from audit.reports.diff_report import diff_report

        wanted = paths or [str(DIST)]
        sides = read.side(base, wanted), read.side(head or str(DIST), wanted)
        if not any(sides):
            raise InputError(f"neither side holds a manifest below {', '.join(wanted)}: name other files with --path")
        before, after = (read.documents(each, default_namespace=default_namespace) for each in sides)
        found = changes(before, after, sides, default_namespace)
        report = diff_report(base, head or str(DIST), found, [str(each) for each in after.problems])
        show(report, output, after)
