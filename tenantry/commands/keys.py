"""`tenantry keys TENANT`: the API keys of a tenant's callers."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import ContextOption, DryRunOption, Format, FormatOption, KubeconfigOption

if TYPE_CHECKING:
    from inference.api_keys import ApiKey
    from tenantry.cluster.key_store import KeyStore

_DURATION: Final = re.compile(r"(\d{1,5})([dh])")
_NOT_REQUIRED: Final = "{tenant} does not require keys yet: set 'auth: apiKeys' in platform.yaml, then synth and apply"

keys = typer.Typer(no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the caller: a-z, 0-9 and '-'.")]


@keys.callback()
def of_tenant(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant.")],
    kubeconfig: KubeconfigOption = None,
    kube_context: ContextOption = None,
) -> None:
    """Add, list and revoke the API keys of a tenant's callers.

    The Secret `api-keys` in the tenant's namespace holds names and SHA-256 digests, never a key. Pods read it again
    when it changes.

    Example: tenantry keys tenant-a list
    """
    from tenantry.cluster.key_store import KeyStore
    from tenantry.cluster.kubectl import Kubectl

    context.obj = lambda: KeyStore.read(Kubectl.find(kubeconfig, kube_context), tenant)


@keys.command("add")
def add(
    context: typer.Context,
    name: NameArgument,
    expires: Annotated[
        str, typer.Option("--expires", metavar="DURATION", help="When it expires, as in 90d or 12h. Default: never.")
    ] = "",
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Create a key for a caller, and print it once.

    A caller can have several keys, so that a new one is in use before the old one is revoked.

    Example: tenantry keys tenant-a add shop --expires 90d
    """
    from inference import api_keys

    try:
        api_keys.check_caller(name)
    except api_keys.ApiKeyError as error:
        raise InputError(str(error)) from error
    until = _expiry(expires)
    store: KeyStore = context.obj()
    key = api_keys.new_key()
    known = store.callers.get(name, ())
    if len(known) == api_keys.MAX_KEYS:
        raise InputError(f"caller '{name}' has {len(known)} keys already; revoke the older ones with revoke --older")
    if not known and len(store.callers) == api_keys.MAX_CALLERS:
        raise InputError(f"{store.tenant} has {len(store.callers)} callers already; revoke one")
    if dry_run:
        result(f"would add a key of '{name}' for {store.tenant}, beside {len(known)} of its keys")
        return
    store.callers[name] = (*known, api_keys.ApiKey(api_keys.digest_of(key.encode()), until))
    store.write()
    say(f"key of '{name}' for {store.tenant}; it is printed once and stored nowhere:")
    result(key)
    say("pods accept it within about two minutes" if store.is_used else _NOT_REQUIRED.format(tenant=store.tenant))


@keys.command("list")
def list_(context: typer.Context, output: FormatOption = Format.TEXT) -> None:
    """List the callers and their keys, by the beginning of each digest.

    Example: tenantry keys tenant-a list --format json
    """
    store: KeyStore = context.obj()
    rows = [_row(caller, key) for caller, found in store.callers.items() for key in found]
    if output is Format.JSON:
        result(json.dumps(rows, indent=2))
    elif not rows:
        say(f"{store.tenant} has no keys; create one with `tenantry keys {store.tenant} add NAME`")
    else:
        for row in rows:
            result(f"{row['caller']:40}  {row['digest']}  {row['state']}")


@keys.command("revoke")
def revoke(
    context: typer.Context,
    name: NameArgument,
    *,
    older: Annotated[bool, typer.Option("--older", help="Keep the caller's newest key.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Revoke the keys of a caller: all of them, or all but the newest.

    Example: tenantry keys tenant-a revoke shop --older
    """
    store: KeyStore = context.obj()
    found = store.callers.pop(name, ())
    if not found:
        known = ", ".join(store.callers) or "no callers"
        raise InputError(f"{store.tenant} has no caller '{name}'; it has {known}")
    if older:
        store.callers[name] = found[-1:]
    if dry_run:
        result(f"would revoke {len(found) - older} of {len(found)} keys of '{name}'")
        return
    store.write()
    result(f"revoked {len(found) - older} of {len(found)} keys of '{name}'; pods refuse them within about two minutes")


def _expiry(text: str) -> datetime | None:
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or not int(found[1]):
        raise InputError(f"--expires {text}: must be a number of days or hours; write it like 90d or 12h")
    hours = int(found[1]) * (24 if found[2] == "d" else 1)
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)


def _row(caller: str, key: "ApiKey") -> dict[str, Any]:
    state = "does not expire"
    if key.expires is not None:
        state = f"{'expired' if key.expires <= datetime.now(UTC) else 'expires'} {key.expires:%Y-%m-%d %H:%M} UTC"
    expires = key.expires.isoformat() if key.expires else None
    return {"caller": caller, "digest": key.digest.hex()[:8], "expires": expires, "state": state}
