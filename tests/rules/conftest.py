"""Tenants served under a real Prometheus and a real Alertmanager, with webhooks that receive notifications."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_lib.monitoring.rule import RuleGroup
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.names import object_name, service_name
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.runtime import Runtime
from inference import contract
from tenantry.errors import CommandError
from tenantry.local import traffic
from tenantry.local.servers import TenantServer, serving
from tenantry.local.stack import Stack, watching
from tests import onnx_artifacts
from tests.models import write_tiny_model
from tests.rules.routing import operator_config

TENANTS = ("tenant-a", "tenant-b")
RECORDS_TENANT = "tenant-c"
"""Its model is an ONNX model; those of the others classify texts."""
RUNTIMES: dict[str, Runtime] = {**dict.fromkeys(TENANTS, "text"), RECORDS_TENANT: "onnx"}
RECORDS = [{"age": age, "children": 1, "city": "Wien"} for age in (None, 30, 300)]
"""Age is missing, usual, and out of range."""
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
    name = object_name(tenant)
    groups = rule_groups(tenant, service_name(tenant), name, name, AlertSettings(), runtime=RUNTIMES[tenant])
    return [
        {"name": group["name"], "rules": [each | ({"for": "0s"} if "alert" in each else {}) for each in group["rules"]]}
        for group in groups
    ]


@contextmanager
def records_flowing(server: TenantServer) -> Iterator[None]:
    """Send records until the block ends."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(traffic.PAUSE_SECONDS):
            with suppress(CommandError):  # the limit in flight is low, so a request can be shed
                server.ask(json.dumps({"inputs": RECORDS}))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two tenants with valid, invalid and shed requests, and one with records, under Prometheus and Alertmanager."""
    folder = tmp_path_factory.mktemp("live")
    model = write_tiny_model(folder / "model")
    onnx_model = onnx_artifacts.written(onnx_artifacts.credit(), folder / "onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # logs go to build/log of the current folder
        patch.setenv(f"{contract.ENV_PREFIX}MAX_IN_FLIGHT", "2")
        with (
            listening() as platform,
            listening() as tenant,
            serving(TENANTS, model=model, stop=threading.Event()) as servers,
            serving((RECORDS_TENANT,), model=onnx_model, stop=threading.Event()) as records_servers,
            watching(
                (*servers, *records_servers),
                {name: immediate_groups(name) for name in RUNTIMES},
                folder / "stack",
                interval="1s",
                alertmanager_config=operator_config({"tenant-b": tenant.url}, platform.url, immediate=True),
            ) as stack,
            traffic.flowing(servers),
            records_flowing(*records_servers),
        ):
            for server in servers:
                wait_for(lambda server=server: "" if 429 in traffic.burst(server) else "nothing was shed")  # type: ignore[misc]
            yield Live({server.tenant: server for server in servers}, stack, platform, tenant)
