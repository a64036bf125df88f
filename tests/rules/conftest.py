"""Two real tenants with a real Prometheus and a real Alertmanager, and a webhook to hear what they tell."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_lib.monitoring.alerts import rule_groups
from constructs_lib.monitoring.scope import Rule
from constructs_lib.names import object_name, service_name
from constructs_lib.platform.alerts import AlertSettings
from inference import contract
from tenantry.local import traffic
from tenantry.local.servers import Server, serving
from tenantry.local.stack import Stack, watching
from tests.models import write_tiny_model
from tests.rules.routing import operator_config

TENANTS = ("tenant-a", "tenant-b")
WAIT_SECONDS = 60.0


def wait_for(reason: Callable[[], str], seconds: float = WAIT_SECONDS) -> None:
    """Poll until there is no reason left to wait for."""
    deadline = time.monotonic() + seconds
    while why := reason():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {why}"
        time.sleep(0.2)


@dataclass
class Webhook:
    """What was delivered to an address of this machine."""

    url: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def heard(self, name: str, status: str = "firing", **labels: str) -> bool:
        wanted = {"alertname": name, **labels}
        return any(each["status"] == status and wanted.items() <= each["labels"].items() for each in self.alerts)


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook that remembers every alert that it is told of."""
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            webhook.alerts.extend(json.loads(body)["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            del format, arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    webhook.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield webhook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Live:
    """The running whole."""

    servers: dict[str, Server]
    stack: Stack
    platform: Webhook
    """Where the platform's own receiver delivers."""
    tenant: Webhook
    """Where tenant-b's receiver delivers; tenant-a has none."""


def impatient(tenant: str) -> list[Rule]:
    """A tenant's rules as shipped, but with no time to wait before an alert fires."""
    groups = rule_groups(tenant, service_name(tenant), object_name(tenant), object_name(tenant), AlertSettings())
    return [
        {**group, "rules": [each | ({"for": "0s"} if "alert" in each else {}) for each in group["rules"]]}
        for group in groups
    ]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two tenants that were asked good and wrong things and too much at once, and everybody who watches."""
    folder = tmp_path_factory.mktemp("live")
    model = write_tiny_model(folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # logs go to build/log of the current folder
        patch.setenv(f"{contract.ENV_PREFIX}MAX_IN_FLIGHT", "2")
        with (
            listening() as platform,
            listening() as tenant,
            serving(TENANTS, model=model, stop=threading.Event()) as servers,
            watching(
                servers,
                {name: impatient(name) for name in TENANTS},
                folder / "stack",
                interval="1s",
                alertmanager_config=operator_config({"tenant-b": tenant.url}, platform.url, impatient=True),
            ) as stack,
            traffic.flowing(servers),
        ):
            for server in servers:
                wait_for(lambda server=server: "" if 429 in traffic.burst(server) else "nothing was shed")  # type: ignore[misc]
            yield Live({server.tenant: server for server in servers}, stack, platform, tenant)
