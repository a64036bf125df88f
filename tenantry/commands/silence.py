"""`tenantry silence`: quiet one tenant's alerts for a while, through Alertmanager's API."""

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tenantry.console import result, say
from tenantry.errors import CommandError, InputError
from tenantry.options import PLATFORM_FILE, FileOption, Format, FormatOption, PortForwardOption

ALERTMANAGER: Final = "http://127.0.0.1:9093"
TENANT_LABEL: Final = "namespace"
"""The label that every alert of a tenant carries, and that nobody else's alert can have with its name."""
_SERVICE, _PORT = "service/alertmanager-operated", 9093
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST: Final = timedelta(days=30)

TenantArgument = Annotated[str | None, typer.Argument(help="The tenant whose alerts are meant.")]
ForOption = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 2h, 1h30m, 1d.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", "-r", help="Why; whoever is on call reads it.")]
AlertOption = Annotated[str | None, typer.Option("--alert", help="Only this alert; left out: all of the tenant's.")]
ListOption = Annotated[bool, typer.Option("--list", "-l", help="List what is silenced now.")]
ExpireOption = Annotated[str | None, typer.Option("--expire", metavar="ID", help="End a silence.")]
AddressOption = Annotated[
    str | None, typer.Option("--alertmanager", metavar="URL", help=f"Alertmanager's address; left out: {ALERTMANAGER}.")
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
) -> None:
    """Silence a tenant's alerts for a while, list silences, or end one.

    A silence holds for alerts whose label `namespace` is exactly the tenant's name: nobody else's alert is touched.

    Example: tenantry silence tenant-a --for 2h --reason "rolling back the model" --port-forward
    """
    from tenantry.platform_file import find_tenant

    if show and expire:
        raise InputError("--list and --expire are two things: give one of them")
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
        elif expire:
            _print([api.expire(expire, tenant)], output)
        else:
            _print([api.create(str(tenant), alert, length, str(reason))], output)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """One silence, as people read it."""

    id: str
    tenant: str
    """The tenant whose alerts it holds back, or "" for one that no tenant's name limits."""
    matchers: str
    until: str
    by: str
    reason: str
    state: str

    @classmethod
    def from_api(cls, data: dict[str, Any]) -> "Silence":
        """From Alertmanager's own form."""
        tenants = [each["value"] for each in data["matchers"] if _names_tenant(each)]
        return cls(
            id=data["id"],
            tenant=tenants[0] if tenants else "",
            matchers=", ".join(_worded(each) for each in data["matchers"]),
            until=data["endsAt"],
            by=data["createdBy"],
            reason=data["comment"],
            state=data["status"]["state"],
        )


class Alertmanager:
    """The part of Alertmanager's API v2 that silences need."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def create(self, tenant: str, alert: str | None, length: timedelta, reason: str) -> Silence:
        """Silence a tenant's alerts (or one of them) from now on."""
        now = datetime.now(UTC)
        wanted = {TENANT_LABEL: tenant} | ({"alertname": alert} if alert else {})
        matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in wanted.items()]
        body = {
            "matchers": matchers,
            "startsAt": now.isoformat(),
            "endsAt": (now + length).isoformat(timespec="seconds"),
            "createdBy": getpass.getuser(),
            "comment": reason,
        }
        created = self._ask("POST", "silences", json=body)["silenceID"]
        return self._silence(created)

    def silences(self, tenant: str | None) -> list[Silence]:
        """What is silenced now or will be: a tenant's own, or all."""
        every = [Silence.from_api(each) for each in self._ask("GET", "silences")]
        alive = (each for each in every if each.state != "expired" and tenant in {None, each.tenant})
        return sorted(alive, key=lambda each: (each.until, each.id))

    def expire(self, identifier: str, tenant: str | None) -> Silence:
        """End a silence; where a tenant is named, only one of its own."""
        found = self._silence(identifier)
        if tenant and found.tenant != tenant:
            raise InputError(f"silence {identifier} is not {tenant}'s: it holds for {found.matchers}")
        if found.state == "expired":
            raise InputError(f"silence {identifier} has ended already, at {found.until}")
        self._ask("DELETE", f"silence/{identifier}")
        return self._silence(identifier)

    def _silence(self, identifier: str) -> Silence:
        return Silence.from_api(self._ask("GET", f"silence/{identifier}"))

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        import httpx

        try:
            answer = httpx.request(method, f"{self.address}/api/v2/{path}", timeout=10, trust_env=False, **arguments)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise InputError(f"--alertmanager {self.address}: write http://HOST:PORT ({error})") from error
        except httpx.HTTPError as error:
            raise CommandError(
                f"Alertmanager does not answer on {self.address} ({error}): name it with --alertmanager URL, or reach "
                "the cluster's with --port-forward"
            ) from error
        if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY} and "silence/" in path:
            raise InputError(f"there is no silence {path.removeprefix('silence/')}; `tenantry silence --list` has them")
        if not answer.is_success:
            raise CommandError(f"Alertmanager refused: {answer.status_code} {answer.text.strip()}")
        return answer.json() if answer.content else None


def duration(text: str) -> timedelta:
    """A duration as people write it: `30m`, `2h`, `1h30m`, `1d`.

    Raises:
        InputError: it is no duration, is nothing, or is longer than 30 days.
    """
    if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?", text) or not text:
        raise InputError(f"--for {text}: write days, hours and minutes, as in 30m, 2h, 1h30m or 1d")
    parts = re.findall(r"(\d+)([dhm])", text)
    try:
        length = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    except OverflowError:
        length = timedelta.max
    if not timedelta() < length <= _LONGEST:
        raise InputError(f"--for {text}: more than nothing and at most {_LONGEST.days} days")
    return length


@contextmanager
def _reach(file: Path, address: str | None, *, port_forward: bool) -> Iterator[Alertmanager]:
    if not port_forward:
        yield Alertmanager(address or ALERTMANAGER)
        return
    if address:
        raise InputError("--alertmanager and --port-forward are two ways to one Alertmanager: give one of them")
    from constructs_lib.platform import Platform
    from tenantry.cluster.kubectl import Kubectl

    namespace = Platform.load(file).platform.monitoring.namespace
    with Kubectl.find().port_forward(namespace, _SERVICE, _PORT) as port:
        yield Alertmanager(f"http://127.0.0.1:{port}")


def _print(silences: list[Silence], output: Format) -> None:
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


def _names_tenant(matcher: dict[str, Any]) -> bool:
    return bool(matcher["name"] == TENANT_LABEL and not matcher["isRegex"] and matcher.get("isEqual", True))


def _worded(matcher: dict[str, Any]) -> str:
    operator = ("=~" if matcher["isRegex"] else "=") if matcher.get("isEqual", True) else "!="
    return f'{matcher["name"]}{operator}"{matcher["value"]}"'
