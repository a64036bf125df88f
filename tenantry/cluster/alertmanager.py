"""The part of Alertmanager's API v2 that silences need."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from tenantry.cluster.monitoring import without_password
from tenantry.errors import CommandError, InputError

TENANT_LABEL: Final = "namespace"
"""The label that identifies the tenant of an alert; only that tenant's alerts have its name as the value."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """One silence, in terms of tenants."""

    id: str
    tenant: str
    """The tenant whose alerts it silences, or "" if it is not limited to one tenant."""
    matchers: str
    until: str
    by: str
    reason: str
    state: str

    @classmethod
    def from_api(cls, data: dict[str, Any]) -> "Silence":
        """From Alertmanager's own representation."""
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
        self._shown = without_password(self.address)

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
        """Active and pending silences: those of one tenant, or all."""
        every = [Silence.from_api(each) for each in self._ask("GET", "silences")]
        alive = (each for each in every if each.state != "expired" and tenant in {None, each.tenant})
        return sorted(alive, key=lambda each: (each.until, each.id))

    def expire(self, identifier: str, tenant: str | None) -> Silence:
        """End a silence; if a tenant is given, only a silence of that tenant."""
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
        try:
            answer = httpx.request(method, f"{self.address}/api/v2/{path}", timeout=10, trust_env=False, **arguments)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:  # of the host's name
            raise InputError(f"--alertmanager {self._shown}: write http://HOST:PORT ({error})") from error
        except httpx.HTTPError as error:
            raise CommandError(
                f"Alertmanager does not answer on {self._shown} ({error}): name it with --alertmanager URL, or reach "
                "the cluster's with --port-forward"
            ) from error
        if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY} and "silence/" in path:
            raise InputError(
                f"there is no silence {path.removeprefix('silence/')}; `tenantry silence --list` lists them"
            )
        if not answer.is_success:
            raise CommandError(f"Alertmanager refused: {answer.status_code} {answer.text.strip()}")
        return answer.json() if answer.content else None


def _names_tenant(matcher: dict[str, Any]) -> bool:
    return bool(matcher["name"] == TENANT_LABEL and not matcher["isRegex"] and matcher.get("isEqual", True))


def _worded(matcher: dict[str, Any]) -> str:
    operator = ("=~" if matcher["isRegex"] else "=") if matcher.get("isEqual", True) else "!="
    return f'{matcher["name"]}{operator}"{matcher["value"]}"'
