"""Two tenants served under a real Prometheus and a real Alertmanager, with webhooks that receive notifications."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_lib.monitoring.rule import RuleGroup
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.names import object_name, service_name
from constructs_lib.platform.alerts import AlertSettings
from inference import contract
from tenantry.local import traffic
from tenantry.local.servers import TenantServer, serving
from tenantry.local.stack import Stack, watching
from tests.models import write_tiny_model
from tests.rules.routing import operator_config

TENANTS = ("tenant-a", "tenant-b")
WAIT_SECONDS = 60.0


def wait_for(reason: Callable[[], str], seconds: float = WAIT_SECONDS) -> None:
    """Poll until `reason` returns an empty string; fail with the last reason after `seconds`."""
    deadline = time.monotonic() + seconds
    while why := reason():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {why}"
        time.sleep(0.2)


@dataclass
class Webhook:
    """Alerts that Alertmanager delivered to an address on the loopback."""

    url: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def received(self, name: str, status: str = "firing", **labels: str) -> bool:
        wanted = {"alertname": name, **labels}
        return any(each["status"] == status and wanted.items() <= each["labels"].items() for each in self.alerts)


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook that keeps every alert that is delivered to it."""
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
    """Everything that runs for these tests."""

    servers: dict[str, TenantServer]
    stack: Stack
    platform: Webhook
    """Where the platform's own receiver delivers."""
    tenant: Webhook
    """Where tenant-b's receiver delivers; tenant-a has none."""


def immediate_groups(tenant: str) -> list[RuleGroup]:
    """A tenant's rule groups, but evaluated at Prometheus's own interval, and with alerts that fire without waiting."""
    groups = rule_groups(tenant, service_name(tenant), object_name(tenant), object_name(tenant), AlertSettings())
    return [
        {"name": group["name"], "rules": [each | ({"for": "0s"} if "alert" in each else {}) for each in group["rules"]]}
        for group in groups
    ]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two tenants with valid, invalid and shed requests, under Prometheus and Alertmanager."""
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
                {name: immediate_groups(name) for name in TENANTS},
                folder / "stack",
                interval="1s",
                alertmanager_config=operator_config({"tenant-b": tenant.url}, platform.url, immediate=True),
            ) as stack,
            traffic.flowing(servers),
        ):
            for server in servers:
                wait_for(lambda server=server: "" if 429 in traffic.burst(server) else "nothing was shed")  # type: ignore[misc]
            yield Live({server.tenant: server for server in servers}, stack, platform, tenant)
