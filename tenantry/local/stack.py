"""Prometheus and Alertmanager on the loopback, for tenants that are served locally."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from inference import contract
from tenantry import processes, programs
from tenantry.errors import CommandError
from tenantry.local.servers import HOST, TenantServer

if TYPE_CHECKING:
    from constructs_lib.monitoring.rule import RuleGroup

START_SECONDS: Final = 30.0
RuleState = dict[str, Any]
"""A rule with its state and health, as Prometheus's API returns it."""


@dataclass(frozen=True)
class Stack:
    """Addresses of the two, without a trailing slash."""

    prometheus: str
    alertmanager: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series of an instant query: each has `metric` (labels) and `value` (time, text)."""
        return self._series("query", {"query": expression})

    def query_range(self, expression: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Series of a range query: each has `metric` (labels) and `values` (time, text)."""
        return self._series("query_range", {"query": expression, "start": start, "end": end, "step": step})

    def rules(self) -> list[RuleState]:
        """Every rule of every group."""
        groups = httpx.get(f"{self.prometheus}/api/v1/rules", timeout=10, trust_env=False).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _series(self, path: str, form: Mapping[str, str | float]) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.prometheus}/api/v1/{path}", data=dict(form), timeout=10, trust_env=False)
        if not answer.is_success:
            raise CommandError(f"Prometheus refused {form['query']}: {answer.text}")
        series: list[dict[str, Any]] = answer.json()["data"]["result"]
        return series


@contextmanager
def watching(
    servers: Sequence[TenantServer],
    groups: "Mapping[str, Sequence[RuleGroup]]",
    folder: Path,
    *,
    interval: str = "5s",
    alertmanager_config: Mapping[str, Any] | None = None,
) -> Iterator[Stack]:
    """Scrape tenants and evaluate their rules until the block ends.

    Targets have the same labels as on a cluster: `namespace` is the tenant, `job` its Service.

    Args:
        servers: the tenants' processes.
        groups: each tenant's rule groups.
        folder: for configuration, data and logs.
        interval: between two scrapes, and between two evaluations.
        alertmanager_config: the complete configuration; without one, Alertmanager notifies nobody.

    Raises:
        CommandError: a program is missing or does not become ready.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = _free_ports(2)
    stack = Stack(*(f"http://{HOST}:{port}" for port in ports))
    nobody = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    _write(folder / "alertmanager.json", alertmanager_config or nobody)
    for tenant, each in groups.items():
        _write(folder / f"rules-{tenant}.json", {"groups": each})
    _write(folder / "prometheus.json", _prometheus_config(servers, ports[1], interval, sorted(groups)))
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, options in (
            ("prometheus", ["--storage.tsdb.path", "--web.listen-address"]),
            ("alertmanager", ["--cluster.listen-address=", "--storage.path", "--web.listen-address"]),
        ):
            *flags, store, listen = options
            address = f"{HOST}:{ports[len(started)]}"
            command = [programs.find(name), f"--config.file={folder}/{name}.json", *flags]
            with (folder / f"{name}.log").open("wb") as log:
                shutil.rmtree(
                    folder / name, ignore_errors=True
                )  # series of an earlier run would be added to this run's
                arguments = [*command, f"{store}={folder}/{name}", f"{listen}={address}"]
                started.append(processes.start(arguments, stdout=log, stderr=subprocess.STDOUT))
        _wait_until_ready(started[0], stack.prometheus, folder / "prometheus.log")
        _wait_until_ready(started[1], stack.alertmanager, folder / "alertmanager.log")
        yield stack
    finally:
        processes.end(started)


def _prometheus_config(
    servers: Sequence[TenantServer], alertmanager: int, interval: str, tenants: Sequence[str]
) -> dict[str, Any]:
    from constructs_lib.names import service_name

    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [f"rules-{tenant}.json" for tenant in tenants],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{alertmanager}"]}]}]},
        "scrape_configs": [
            {
                "job_name": service_name(server.tenant),
                "metrics_path": contract.METRICS_PATH,
                "static_configs": [
                    {
                        "targets": [f"{HOST}:{server.port}"],
                        "labels": {"namespace": server.tenant, "pod": f"{server.tenant}-local"},
                    }
                ],
            }
            for server in servers
        ],
    }


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            raise CommandError(f"{log.stem} ended with exit code {process.returncode}; the end of {log}:\n{_end(log)}")
        try:
            if httpx.get(f"{address}/-/ready", timeout=1, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise CommandError(f"no response from {address} after {START_SECONDS:.0f} s; see {log}")
        time.sleep(processes.POLL_SECONDS)


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])


def _free_ports(count: int) -> list[int]:
    """Free ports of the loopback; all are bound at the same time, so that they differ."""
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document))  # YAML is a superset of JSON
