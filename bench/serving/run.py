"""Start a system on one core, send requests from another, and measure."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.serving.systems import HOST, PORT, BenchError, System
from bench.serving.work import Expected

SERVER_CORE: Final = "0"
LOAD_CORE: Final = "1"
SCRIPT: Final = Path("bench/serving/wrk.lua")
TOLERANCE: Final = 1e-9
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 15.0
_ANSWER_SECONDS: Final = 60.0


def require() -> None:
    """Check what every measurement needs: two cores, taskset and wrk.

    Raises:
        BenchError: something is missing.
    """
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise BenchError(f"no {program} on PATH (apt-get install {package})")
    if (os.cpu_count() or 1) < 2:  # noqa: PLR2004 - one for the server, one for the load
        raise BenchError("two cores are needed, one for the server and one for the load")
    busy = os.getloadavg()[0]
    if busy > 0.5:  # noqa: PLR2004 - a hint, not a rule
        print(f"note: the machine is busy (load {busy:.1f}); figures taken now say little", file=sys.stderr)


@dataclass
class Running:
    """A started system."""

    system: System
    process: subprocess.Popen[bytes]
    client: httpx.Client
    start_seconds: float

    @property
    def url(self) -> str:
        """The URL of its endpoint."""
        return f"http://{HOST}:{PORT}{self.system.path}"

    def ask(self, text: str) -> httpx.Response:
        """Send one request."""
        content = self.system.encode(text)
        try:
            return self.client.post(
                self.url, content=content, headers={"content-type": "application/json", **self.system.headers}
            )
        except httpx.TransportError as error:
            raise BenchError(f"{self.system.name} does not answer: {error!r}") from error

    def memory_mb(self) -> float:
        """Resident memory of the process and its descendants."""
        return sum(_status_kb(process, "VmRSS") for process in _family(self.process.pid)) / 1024

    def cpu_seconds(self) -> float:
        """CPU time so far of the process and its descendants."""
        return sum(_cpu_ticks(process) for process in _family(self.process.pid)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(system: System, first: str, log: Path) -> Iterator[Running]:
    """Start a system; it has answered the text `first` when the block begins.

    Raises:
        BenchError: it ends, or does not answer in time; the end of its log is in the text.
    """
    if _is_open():
        raise BenchError(f"port {PORT} is taken; end what listens there")
    log.parent.mkdir(parents=True, exist_ok=True)
    # One connection per request: the system could close a kept one just when it is used again.
    limits = httpx.Limits(max_keepalive_connections=0)
    begin = time.perf_counter()
    with log.open("wb") as output, httpx.Client(timeout=_ANSWER_SECONDS, limits=limits, trust_env=False) as client:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", SERVER_CORE, *system.command],
            env=os.environ | system.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        started = Running(system, process, client, 0.0)
        try:
            _wait_for_answer(started, first, begin, log)
            started.start_seconds = time.perf_counter() - begin
            yield started
        finally:
            _stop(process)


def check(
    target: Running, texts: Sequence[str], expected: Sequence[Expected], *, tolerance: float = TOLERANCE
) -> tuple[int, int]:
    """Compare every answer with `predict_proba`; return how many are equal and how many requests were refused.

    Raises:
        BenchError: one differs by more than `tolerance`.
    """
    understand = target.system.understand
    if understand is None:
        return 0, 0
    refused = 0
    for text, right in zip(texts, expected, strict=True):
        response = target.ask(text)
        if response.status_code != httpx.codes.OK:
            refused += 1
            continue
        found = understand(response.json())
        if found.label != right.label or abs(found.confidence - right.confidence) > tolerance:
            raise BenchError(f"{target.system.name} says {found}, predict_proba {right}, of {text[:60]!r}")
    return len(texts) - refused, refused


def load(target: Running, bodies: Path, connections: int, seconds: int) -> dict[str, float]:
    """Send the bodies of a file on some connections for some seconds.

    Returns:
        requests_per_second, p50_ms, p99_ms, max_ms, errors, and cpu_us: what a request cost the server's processor.

    Raises:
        BenchError: the system ended, or leaves a request without an answer.
    """
    command = [
        "taskset", "--cpu-list", LOAD_CORE, "wrk", "--threads", "1", "--connections", str(connections),
        "--duration", f"{seconds}s", "--timeout", f"{_ANSWER_SECONDS:.0f}s", "--script", str(SCRIPT),
        *(f"--header={name}: {value}" for name, value in target.system.headers.items()), target.url, "--", str(bodies),
    ]  # fmt: skip
    before = target.cpu_seconds()
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + _ANSWER_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{target.system.name}: {error}; wrk says {error.stderr!r}") from error
    if target.process.poll() is not None:
        raise BenchError(f"{target.system.name} ended under load, with code {target.process.returncode}")
    spent = target.cpu_seconds() - before
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {
        "requests_per_second": found["answered"] / (found["microseconds"] / 1e6),
        "p50_ms": found["p50"] / 1e3,
        "p99_ms": found["p99"] / 1e3,
        "max_ms": found["max"] / 1e3,
        "cpu_us": spent / max(found["answered"], 1) * 1e6,
        "errors": found["errors"],
    }


@contextmanager
def watching_health() -> Iterator[dict[str, float]]:
    """Request `/healthz` every few milliseconds while the block runs; `health_max_ms` is then the longest wait.

    Raises:
        BenchError: one was not answered.
    """
    done = threading.Event()

    def watch() -> float:
        os.sched_setaffinity(threading.get_native_id(), {int(LOAD_CORE)})
        longest = 0.0
        with httpx.Client(base_url=f"http://{HOST}:{PORT}", timeout=_ANSWER_SECONDS, trust_env=False) as client:
            while not done.wait(0.005):
                begin = time.perf_counter()
                client.get("/healthz").raise_for_status()
                longest = max(longest, time.perf_counter() - begin)
        return longest

    found: dict[str, float] = {}
    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            yield found
        finally:
            done.set()
        try:
            found["health_max_ms"] = watcher.result() * 1e3
        except httpx.HTTPError as error:
            raise BenchError(f"/healthz was not answered under load: {error!r}") from error


def _wait_for_answer(started: Running, text: str, begin: float, log: Path) -> None:
    while True:
        try:
            if _is_open() and started.ask(text).status_code == httpx.codes.OK:
                return
        except BenchError:
            pass  # not yet
        late = time.perf_counter() - begin > _START_SECONDS
        if late or started.process.poll() is not None:
            end = log.read_text(errors="replace")[-2_000:]
            raise BenchError(f"{started.system.name} {'does not answer' if late else 'ended'}; its log:\n{end}")
        time.sleep(0.005)


def _stop(process: subprocess.Popen[bytes]) -> None:
    children = _family(process.pid)[1:]
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:  # processes that it left behind
        if _status_kb(child, "VmRSS"):
            os.kill(child, 9)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_open() and time.monotonic() < deadline:
        time.sleep(0.02)


def _is_open() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, PORT)) == 0


def _family(process: int) -> list[int]:
    """A process and its descendants."""
    family = [process]
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            family += _family(int(child))
    return family


def _cpu_ticks(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _status_kb(process: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
