"""The service as it is deployed: its own process, asked over its own socket."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inference import contract

HOST = "127.0.0.1"
START_SECONDS = 60.0


class DidNotStartError(Exception):
    """The service ended, or was not listening in time; its log is the text."""


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged: one JSON object a line, or this raises."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events(self) -> list[str]:
        """The events that it has logged."""
        return [str(line["event"]) for line in self.lines()]

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal; give back the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def connect(self, seconds: float = 10) -> socket.socket:
        """An open connection."""
        return socket.create_connection((HOST, self.port), timeout=seconds)

    def exchange(self, request: bytes) -> list[tuple[int, dict[str, str], bytes]]:
        """Send bytes, and read answers until the service ends the connection."""
        with self.connect() as client:
            client.sendall(request)
            return answers(read_all(client))

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        """One answer; the request is sent whole as soon as there is a connection, so that no time-out strikes first."""
        method, content = ("GET", b"") if body is None else ("POST", body)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        (answer,) = self.exchange(head.encode() + content)
        return answer

    def metrics(self) -> dict[str, float]:
        """A scrape, by series as Prometheus spells it."""
        text = self.ask(contract.METRICS_PATH)[2].decode()
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, value in samples}


@contextmanager
def service(
    model: Path,
    log: Path,
    *,
    wait: str = contract.READINESS_PATH,
    program: Sequence[str] = (sys.executable, "-m", "inference"),
    **settings: object,
) -> Iterator[Service]:
    """Run the service until the block ends; it answers `wait` with 200 when the block begins.

    Args:
        model: Folder of its model.
        log: Where its output goes.
        wait: Path to wait for; empty: do not wait.
        program: What runs it.
        settings: Its settings, by field.
    """
    given = {"model_uri": model.absolute().as_uri(), "host": HOST, "port": 0, "drain_notice_seconds": 0, **settings}
    names = {f"{contract.ENV_PREFIX}{name.upper()}": str(value) for name, value in given.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(list(program), env=os.environ | names, stdout=output, stderr=subprocess.STDOUT)
    running = Service(process, log)
    try:
        if wait:
            _wait_for(running, wait)
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def poll(condition: Any, seconds: float = 10.0, pause_seconds: float = 0.02) -> Any:
    """The first true result of `condition`, asked again and again for `seconds`; else the last one."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(pause_seconds)
    return found


def read_all(client: socket.socket) -> bytes:
    """What comes until the other end closes."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass  # what came before counts
    return b"".join(parts)


def answers(raw: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Status, headers and body of each answer in `raw`."""
    found = []
    while raw:
        head, separator, rest = raw.partition(b"\r\n\r\n")
        assert separator, f"no HTTP answer: {raw[:200]!r}"
        line, *fields = head.decode().split("\r\n")
        matched = re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", line)
        assert matched, line
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        length = 0 if matched[1] == "100" else int(headers["content-length"])
        found.append((int(matched[1]), headers, rest[:length]))
        raw = rest[length:]
    return found


def _wait_for(running: Service, path: str) -> None:
    def up() -> bool:
        if running.process.poll() is not None:
            return True
        serving = [line for line in running.lines() if line["event"] == "serving"] if _whole(running.log) else []
        if not serving:
            return False
        running.port = serving[0]["port"]
        try:
            return httpx.get(f"{running.url}{path}", trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:  # it has just ended
            return False

    if not poll(up, START_SECONDS) or running.process.poll() is not None:
        raise DidNotStartError(running.log.read_text())


def _whole(log: Path) -> bool:
    return log.read_bytes().endswith(b"\n")
