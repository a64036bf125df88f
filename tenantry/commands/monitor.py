"""`tenantry monitor`: the tenants on this machine, under a real Prometheus with their rules."""

import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from inference import contract
from tenantry.console import result, say, step
from tenantry.options import (
    FIRST_PORT,
    MODEL,
    PLATFORM_FILE,
    FileOption,
    Format,
    FormatOption,
    ModelOption,
    PortOption,
    TenantOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tenantry.local.alerts import Alert
    from tenantry.local.servers import TenantServer
    from tenantry.local.stack import Stack

FOLDER: Final = Path("build/monitor")
"""Configuration, data and logs of the two."""
INTERVAL: Final = "5s"
LIMIT_ENV: Final = f"{contract.ENV_PREFIX}MAX_IN_FLIGHT"
LIMIT: Final = 16
"""Requests in flight, unless the environment sets it: small, so that the bursts show what shedding looks like."""
LOOK_SECONDS: Final = 1.0
SHORT: Final = 120
"""Characters of a short message."""

SecondsOption = Annotated[
    int | None, typer.Option("--seconds", min=1, help="End after this time. Default: until Ctrl-C.")
]


def monitor(
    file: FileOption = PLATFORM_FILE,
    model: ModelOption = MODEL,
    port: PortOption = FIRST_PORT,
    tenant: TenantOption = None,
    *,
    seconds: SecondsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Serve every tenant here under Prometheus, with its rules and a little traffic.

    Prints the address of a page with the dashboard's panels, and the state of every alert, again whenever one changes.
    Needs the programs prometheus and alertmanager (make monitoring-tools). Nothing is reachable from elsewhere.

    Example: tenantry monitor --seconds 60
    """
    from tenantry.local.alerts import alerts
    from tenantry.local.monitor_page import serving_page
    from tenantry.local.servers import require_model
    from tenantry.platform_file import tenant_names
    from tenantry.processes import stop_requested

    names = tenant_names(file, tenant or ())
    require_model(model)
    with stop_requested() as stop, watched(file, model, port, names, stop) as (stack, _):
        ends = time.monotonic() + seconds if seconds else None
        with serving_page(stack, names) as page:
            result(f"  panels        {page}", bold=True)
            result(f"  Prometheus    {stack.prometheus}/api/v1/rules")
            result(f"  Alertmanager  {stack.alertmanager}/api/v2/alerts")
            say("Ctrl-C stops all of it" if ends is None else f"ends after {seconds} s")
            states: list[Alert] = []
            while not stop.wait(LOOK_SECONDS) and (ends is None or time.monotonic() < ends):
                before, states = states, alerts(stack)
                changed = [each.state for each in states] != [each.state for each in before]
                if changed and output is Format.TEXT:
                    _print(states)
            if output is Format.JSON:
                result(json.dumps([asdict(each) for each in states], indent=2))
    say("stopped")


@contextmanager
def watched(
    file: Path, model: Path, port: int, names: "Sequence[str]", stop: threading.Event
) -> "Iterator[tuple[Stack, Sequence[TenantServer]]]":
    """Serve tenants with traffic, under Prometheus and Alertmanager; yields these and the tenants' processes."""
    from constructs_lib.monitoring.rules import rule_groups
    from constructs_lib.names import object_name, service_name
    from constructs_lib.platform import Platform
    from tenantry.local import traffic
    from tenantry.local.servers import serving
    from tenantry.local.stack import watching

    groups = {
        each.name: rule_groups(
            each.name,
            service_name(each.name),
            object_name(each.name),
            object_name(each.name),
            each.alerts,
            runtime=each.runtime,
        )
        for each in Platform.load(file).tenants
        if each.name in names
    }
    os.environ.setdefault(LIMIT_ENV, str(LIMIT))
    with (
        serving(names, model=model, first_port=port, stop=stop) as servers,
        watching(servers, groups, FOLDER, interval=INTERVAL) as stack,
        traffic.flowing(servers, _texts(names)),
    ):
        for server in servers:
            result(f"  {server.tenant:13} {server.url}{contract.METRICS_PATH}")
        yield stack, servers


def _texts(names: "Sequence[str]") -> "dict[str, Sequence[str]]":
    """Mails of the training corpus, if it is installed; every second tenant gets only the beginning of each mail."""
    from inference.training.corpus import SPAM_ASSASSIN, load_spam_assassin

    if not SPAM_ASSASSIN.is_dir():
        return {}
    with step("reading mails to ask about"):
        mails = [row.text for row in load_spam_assassin().rows]
    return {name: [mail[:SHORT] for mail in mails] if number % 2 else mails for number, name in enumerate(names)}


def _print(states: "Sequence[Alert]") -> None:
    result(time.strftime("%H:%M:%S"), bold=True)
    loud = [each for each in states if each.state in {"pending", "firing"}]
    quiet = len(states) - len(loud)
    for each in loud:
        result(f"  {each.state:8} {each.tenant:12} {each.severity:8} {each.name} {each.detail}")
        result(f"           {each.description}")
    result(f"  {quiet} of {len(states)} rules are quiet")
