"""`tenantry silence`: silences one tenant's alerts for a while, through Alertmanager's API."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.cluster.monitoring import ALERTMANAGER, reach
from tenantry.console import result, say
from tenantry.durations import duration
from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE, DryRunOption, FileOption, Format, FormatOption, PortForwardOption

if TYPE_CHECKING:
    from tenantry.cluster.alertmanager import Silence

LONGEST: Final = timedelta(days=30)

TenantArgument = Annotated[str | None, typer.Argument(help="The tenant whose alerts to silence.")]
ForOption = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 2h, 1h30m, 1d.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", "-r", help="Why, for the person who is on call.")]
AlertOption = Annotated[str | None, typer.Option("--alert", help="Only this alert. Default: all of its alerts.")]
ListOption = Annotated[bool, typer.Option("--list", "-l", help="List the active silences.")]
ExpireOption = Annotated[str | None, typer.Option("--expire", metavar="ID", help="End a silence.")]
AddressOption = Annotated[
    str | None,
    typer.Option("--alertmanager", metavar="URL", help=f"Alertmanager's address. Default: {ALERTMANAGER.default}."),
]


def silence(
    tenant: TenantArgument = None,
    *,
    for_: ForOption = "2h",
    reason: ReasonOption = None,
    alert: AlertOption = None,
    show: ListOption = False,
    expire: ExpireOption = None,
    file: FileOption = PLATFORM_FILE,
    alertmanager: AddressOption = None,
    port_forward: PortForwardOption = False,
    output: FormatOption = Format.TEXT,
    dry_run: DryRunOption = False,
) -> None:
    """Silence a tenant's alerts for a while, list silences, or end one.

    A silence applies to alerts whose label `namespace` is exactly the tenant's name; other tenants' alerts still fire.

    Example: tenantry silence tenant-a --for 2h --reason "rolling back the model" --port-forward
    """
    from tenantry.cluster.alertmanager import Alertmanager
    from tenantry.platform_file import find_tenant

    if show and expire:
        raise InputError("--list and --expire exclude each other; give one of them")
    if tenant:
        find_tenant(file, tenant)
    if not show and not expire:
        if not tenant:
            raise InputError("whose alerts? tenantry silence TENANT --for 2h --reason TEXT, or --list, or --expire ID")
        if not (reason and reason.strip()):
            raise InputError("a silence needs a reason: --reason TEXT")
        length = duration("--for", for_, LONGEST)
    with reach(ALERTMANAGER, file, alertmanager, port_forward=port_forward) as address:
        api = Alertmanager(address)
        if show:
            _print(api.silences(tenant), output)
        elif dry_run:
            result(f"would end silence {expire}" if expire else f"would silence {alert or 'every alert'} of {tenant}")
        elif expire:
            _print([api.expire(expire, tenant)], output)
        else:
            _print([api.create(str(tenant), alert, length, str(reason))], output)


def _print(silences: "list[Silence]", output: Format) -> None:
    if output is Format.JSON:
        import json

        result(json.dumps([asdict(each) for each in silences], indent=2))
        return
    for each in silences:
        result(each.id, bold=True)
        result(f"  {each.state} until {each.until}: {each.matchers}")
        result(f"  {each.by}: {each.reason}")
    if not silences:
        say("nothing is silenced")
