"""`tenantry silence`: silences one tenant's alerts for a while, through Alertmanager's API."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE, DryRunOption, FileOption, Format, FormatOption, PortForwardOption

if TYPE_CHECKING:
    from tenantry.cluster.alertmanager import Alertmanager, Silence

ALERTMANAGER: Final = "http://127.0.0.1:9093"
_SERVICE, _PORT = "service/alertmanager-operated", 9093
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST: Final = timedelta(days=30)

TenantArgument = Annotated[str | None, typer.Argument(help="The tenant whose alerts to silence.")]
ForOption = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 2h, 1h30m, 1d.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", "-r", help="Why, for the person who is on call.")]
AlertOption = Annotated[str | None, typer.Option("--alert", help="Only this alert. Default: all of its alerts.")]
ListOption = Annotated[bool, typer.Option("--list", "-l", help="List the active silences.")]
ExpireOption = Annotated[str | None, typer.Option("--expire", metavar="ID", help="End a silence.")]
AddressOption = Annotated[
    str | None, typer.Option("--alertmanager", metavar="URL", help=f"Alertmanager's address. Default: {ALERTMANAGER}.")
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
        length = duration(for_)
    with _reach(file, alertmanager, port_forward=port_forward) as api:
        if show:
            _print(api.silences(tenant), output)
        elif dry_run:
            result(f"would end silence {expire}" if expire else f"would silence {alert or 'every alert'} of {tenant}")
        elif expire:
            _print([api.expire(expire, tenant)], output)
        else:
            _print([api.create(str(tenant), alert, length, str(reason))], output)


def duration(text: str) -> timedelta:
    """A duration as people write it: `30m`, `2h`, `1h30m`, `1d`.

    Raises:
        InputError: it is not a duration, is zero, or is longer than 30 days.
    """
    if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?", text) or not text:
        raise InputError(f"--for {text}: write days, hours and minutes, as in 30m, 2h, 1h30m or 1d")
    parts = re.findall(r"(\d+)([dhm])", text)
    try:
        length = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    except OverflowError:
        length = timedelta.max
    if not timedelta() < length <= _LONGEST:
        raise InputError(f"--for {text}: must be more than zero and at most {_LONGEST.days} days")
    return length


@contextmanager
def _reach(file: Path, address: str | None, *, port_forward: bool) -> Iterator["Alertmanager"]:
    from tenantry.cluster.alertmanager import Alertmanager

    if not port_forward:
        yield Alertmanager(address or ALERTMANAGER)
        return
    if address:
        raise InputError("--alertmanager and --port-forward exclude each other; give one of them")
    from constructs_lib.platform import Platform
    from tenantry.cluster.kubectl import Kubectl

    namespace = Platform.load(file).platform.monitoring.namespace
    with Kubectl.find().port_forward(namespace, _SERVICE, _PORT) as port:
        yield Alertmanager(f"http://127.0.0.1:{port}")


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
