#!/usr/bin/env python
"""Draw docs/monitoring/incident-*.png: the panels during a local run with three problems.

The tenants of platform.yaml are served locally under Prometheus, as `tenantry monitor` does. Then the last tenant is
slow (its process is stopped for most of each half second, like a throttled container), the first tenant gets
bursts of requests, and the last tenant restarts without its model store. The argument is the number of seconds of each
phase (default 90). `make incident` calls it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from constructs_lib.monitoring.panels import PANELS
from inference import contract
from tenantry import processes
from tenantry.commands.monitor import watched
from tenantry.console import step
from tenantry.local import traffic
from tenantry.local.servers import HOST, TenantServer, require_model
from tenantry.options import FIRST_PORT, MODEL, PLATFORM_FILE
from tenantry.platform_file import tenant_names
from tools.draw_panels import FOLDER, Phase, draw, slug

SHOWN: Final = (
    "Requests by outcome",
    "Errors against the objective",
    "Latency against the objective",
    "In flight and shed",
)
CYCLE_SECONDS: Final = 0.5
STOPPED_SECONDS: Final = 0.4
PAUSE_SECONDS: Final = 1.0
"""Between two bursts."""


def main(seconds: float) -> None:
    """Serve the tenants, cause the problems one after the other, then draw."""
    names = tenant_names(PLATFORM_FILE)
    require_model(MODEL)
    with watched(PLATFORM_FILE, MODEL, FIRST_PORT, names, threading.Event()) as (stack, servers):
        first, last = servers[0], servers[-1]
        start = time.time()
        phases = []
        for text, cause in (
            (f"{last.tenant} is slow", lambda until: _slow(last, until)),
            (f"bursts to {first.tenant}", lambda until: _bursts(first, until)),
            (f"{last.tenant} has no model", lambda until: _without_model(last, until)),
        ):
            _wait(seconds / 2)
            phases.append(_phase(text, seconds, cause))
        with _serving(last, MODEL.resolve().as_uri()):
            _wait(seconds)
            end = time.time()
            for panel in PANELS:
                if panel.title in SHOWN:
                    path = FOLDER / f"incident-{slug(panel.title)}.png"
                    draw(stack, panel, names, path, start=start, end=end, phases=phases)


def _phase(text: str, seconds: float, cause: Callable[[float], None]) -> Phase:
    with step(text):
        began = time.time()
        cause(began + seconds)
        return Phase(text, began, time.time())


def _wait(seconds: float) -> None:
    with step("sending ordinary traffic"):
        time.sleep(seconds)


def _slow(server: TenantServer, until: float) -> None:
    """Stop the process for a part of each cycle."""
    try:
        while time.time() < until:
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_SECONDS)
            server.process.send_signal(signal.SIGCONT)
            time.sleep(CYCLE_SECONDS - STOPPED_SECONDS)
    finally:
        server.process.send_signal(signal.SIGCONT)


def _bursts(server: TenantServer, until: float) -> None:
    while time.time() < until:
        traffic.burst(server)
        time.sleep(PAUSE_SECONDS)


def _without_model(server: TenantServer, until: float) -> None:
    """Replace the process by one whose model store does not answer: it runs and answers 503."""
    processes.end([server.process])
    with _serving(server, f"s3://models/{server.tenant}/none"):
        time.sleep(max(0.0, until - time.time()))


@contextmanager
def _serving(server: TenantServer, model_uri: str) -> Iterator[None]:
    """Serve a tenant on its port again, with another model."""
    settings = {"HOST": HOST, "PORT": str(server.port), "MODEL_URI": model_uri}
    store = {
        contract.STORE_ENDPOINT_ENV: f"http://{HOST}:9",
        contract.STORE_ALLOW_HTTP_ENV: "true",
        contract.STORE_ACCESS_KEY_ENV: "none",
        contract.STORE_SECRET_KEY_ENV: "none",
        contract.STORE_REGION_ENV: "us-east-1",
    }
    environment = {f"{contract.ENV_PREFIX}{name}": value for name, value in settings.items()}
    with server.log.open("ab") as log:
        process = processes.start(
            [sys.executable, "-m", "inference"],
            env=os.environ | store | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        processes.end([process])


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 90)
