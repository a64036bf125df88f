"""Tenants served locally, each in its own process on its own port of the loopback."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from inference import __name__ as SERVICE  # noqa: N812 - the name of a module
from inference import contract
from inference.errors import ArtifactError
from inference.model.manifest import MANIFEST_FILE, read_manifest
from tenantry import processes
from tenantry.console import say, step
from tenantry.errors import CommandError, InputError, InterruptedByUserError
from tenantry.extras import require_extra

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 8001
LAST_PORT: Final = 65535
START_SECONDS: Final = 60.0
"""How long a tenant may take to become ready."""
LOGS: Final = Path("build/log")
_TAIL_LINES: Final = 15
_JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class TenantServer:
    """One tenant's process.

    Attributes:
        tenant: Its name.
        port: The port on which it listens, on the loopback.
        process: The service.
        log: File with the output of the service.
    """

    tenant: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Root of its routes, without a trailing slash."""
        return f"http://{HOST}:{self.port}"

    def pages(self) -> Iterator[tuple[str, str]]:
        """What a person looks at, by name: the service's page, its documentation, its metrics."""
        for name, path in (
            ("page", contract.ROOT_PATH),
            ("docs", contract.DOCS_PATH),
            ("metrics", contract.METRICS_PATH),
        ):
            yield name, f"{self.url}{path}"

    def check(self) -> None:
        """Raise CommandError, with the last lines of its log, if the process has ended."""
        code = self.process.poll()
        if code is not None:
            how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
            raise CommandError(f"{self.tenant} ended {how}: {_last_error(self.log)}")

    def ask(self, body: str) -> str:
        """POST a prediction request and return the response body unchanged.

        Raises:
            CommandError: The service ended, or its response is not a success.
        """
        try:
            answer = httpx.post(
                f"{self.url}{contract.PREDICT_PATH}", content=body, headers=_JSON, timeout=30, trust_env=False
            )
        except httpx.HTTPError as error:
            self.check()
            raise CommandError(f"{self.tenant} did not answer on {self.url}: {error}; see {self.log}") from error
        if not answer.is_success:
            raise CommandError(f"{self.tenant} answered {answer.status_code}: {answer.text}")
        return answer.text


def require_model(folder: Path) -> None:
    """Raise InputError unless there is a model artifact in the folder."""
    if not (folder / "manifest.json").is_file():
        raise InputError(
            f"--model {folder}: no model there (no manifest.json); make one with: tenantry train --output {folder}"
        )


@contextmanager
def serving(
    tenants: Sequence[str],
    *,
    model: Path,
    first_port: int = FIRST_PORT,
    stop: threading.Event,
) -> Iterator[tuple[TenantServer, ...]]:
    """Serve tenants until the block ends: all are ready when it begins, and none is left when it has ended.

    Args:
        tenants: Their names.
        model: Folder of the model artifact that each of them serves.
        first_port: The first port to try; taken ports are skipped.
        stop: Set to stop waiting for the tenants.

    Raises:
        InterruptedByUserError: `stop` was set before all were ready.
        CommandError: A tenant ended, or was not ready after START_SECONDS.
    """
    require_extra("serve")
    ports = _free_ports(first_port)
    LOGS.mkdir(parents=True, exist_ok=True)
    servers: list[TenantServer] = []
    try:
        with step(f"starting {', '.join(tenants)}"):
            # extend() keeps the processes already started if a later start fails.
            servers.extend(_start(tenant, next(ports), model) for tenant in tenants)
            _wait_until_ready(servers, stop)
        yield tuple(servers)
    finally:
        processes.end([server.process for server in servers])


def _start(tenant: str, port: int, model: Path) -> TenantServer:
    settings = {
        "HOST": HOST,
        "PORT": str(port),
        "MODEL_URI": model.resolve().as_uri(),
        "RUNTIME": _runtime(model),
    }
    log = LOGS / f"{tenant}.log"
    with log.open("wb") as output:
        process = processes.start(
            [sys.executable, "-m", SERVICE],
            env=os.environ | {f"{contract.ENV_PREFIX}{name}": value for name, value in settings.items()},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return TenantServer(tenant=tenant, port=port, process=process, log=log)


def _runtime(model: Path) -> str:
    """What serves the model; of a model that cannot be read, the service itself says what is wrong."""
    try:
        return read_manifest((model / MANIFEST_FILE).read_bytes()).runtime
    except (ArtifactError, OSError):
        return "text"


def _wait_until_ready(servers: Sequence[TenantServer], stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    waiting = list(servers)
    with httpx.Client(timeout=1, trust_env=False) as client:
        while waiting:
            for server in servers:
                server.check()
            waiting = [server for server in waiting if not _is_ready(client, server)]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(server.tenant for server in waiting)
                raise CommandError(f"{names} not ready after {START_SECONDS:.0f} s; see {waiting[0].log}")
            if waiting and stop.wait(processes.POLL_SECONDS):
                raise InterruptedByUserError("stopped before every tenant was ready")


def _is_ready(client: httpx.Client, server: TenantServer) -> bool:
    try:
        return client.get(f"{server.url}{contract.READINESS_PATH}").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_ports(first: int) -> Iterator[int]:
    """Free ports of the loopback, in ascending order."""
    for port in range(first, LAST_PORT + 1):
        with socket.socket() as probe:
            # The service binds with the same option: a port with connections in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                say(f"port {port} is not free ({error.strerror}); trying the next one")
                continue
        yield port
    raise InputError(f"no free port from {first} to {LAST_PORT}; name a lower one with --port")


def _last_error(log: Path) -> str:
    """The last error in a log, or the last lines if there is none (a traceback, for example)."""
    lines = log.read_text(errors="replace").splitlines()
    for line in reversed(lines):
        try:
            return f"{json.loads(line)['error']} (see {log})"
        except (ValueError, LookupError, TypeError):
            continue
    return "\n".join([f"the end of {log}:", *lines[-_TAIL_LINES:]])
