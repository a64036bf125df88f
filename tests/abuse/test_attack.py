"""Hostile clients against the process as it is deployed (`make attack`).

While they run a plain client at another address gets correct answers; afterwards every counter is zero, memory is
within the documented limit, and the process ends in time.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from inference.settings import Settings
from tests.abuse.attackers import ATTACKS, BODY, PREDICT, Attacker, post
from tests.models import write_tiny_model
from tests.service import Service, answers, poll, service

PROBE_SECONDS = 0.005
MAX_WORK = 1.0
"""CPU time that the service may spend while a probe waits, in units of `unit_of_work`. On a quiet machine it is a third
of that; a busy machine stops this process as well, and then the service works on while nobody waits for it."""
ATTEMPTS = 3
"""How many times an attack is tried if more was spent: a long step of the service recurs in each attempt, a pause of
this process does not."""


class PlainClient:
    """Asks for health and for a prediction, again and again, on kept and on new connections.

    Attributes:
        waits: Seconds until each probe was answered.
        work: CPU seconds that the service spent meanwhile, on the probe and on everything that it waited for. Unlike
            `waits` they do not depend on other processes.
        faults: Wrong answers.
    """

    def __init__(self, running: Service) -> None:
        self._running = running
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)
        self.waits: list[float] = []
        self.work: list[float] = []
        self.faults: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask_on(self) -> None:
        kept = self._running.connect()
        while not self._stop.is_set():
            try:
                began, began_cpu = time.perf_counter(), cpu_seconds(self._running)
                kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                health = answers(kept.recv(65_536))[0]
                self.work.append(cpu_seconds(self._running) - began_cpu)
                self.waits.append(time.perf_counter() - began)
                status, _, body = self._running.ask("/predict", BODY)
                if health[0] != 200 or status != 200 or json.loads(body)["prediction"] != "spam":
                    self.faults.append(f"{health} {status} {body!r}")
            except (OSError, IndexError, ValueError) as error:
                self.faults.append(repr(error))
                kept.close()
                kept = self._running.connect()
            self._stop.wait(PROBE_SECONDS)
        kept.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def running(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with its default limits, and short deadlines so that the test is short."""
    log = tmp_path_factory.mktemp("log") / "log"
    with service(model, log, header_timeout_seconds=3, body_timeout_seconds=3, keep_alive_seconds=10) as found:
        yield found


def cpu_seconds(running: Service) -> float:
    """The CPU time that the process has used, of all its threads, to the nanosecond."""
    return time.clock_gettime(~running.process.pid << 3 | 2)  # Linux: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)


@pytest.fixture(scope="module")
def unit_of_work() -> float:
    """CPU seconds for the lower case of a million characters on this machine: one step that nothing can interrupt."""
    seconds = []
    for _ in range(3):
        began = time.thread_time()
        ("\u0130" * 1_000_000).lower()
        seconds.append(time.thread_time() - began)
    return min(seconds)


def peak_bytes(running: Service) -> int:
    """The most memory that the process has ever had."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def attacking(running: Service, address: str = "127.0.0.2") -> Iterator[Attacker]:
    """An attacker, who leaves in the end."""
    attacker = Attacker(running.port, address)
    try:
        yield attacker
    finally:
        attacker.close()


@pytest.mark.parametrize("name", list(ATTACKS))
def test_others_are_served_and_nothing_is_left(running: Service, unit_of_work: float, name: str) -> None:
    """During each attack a plain client is served soon; after it nothing is in flight and nothing has failed."""
    work = [attack(running, unit_of_work, name)]
    while work[-1] >= MAX_WORK and len(work) < ATTEMPTS:
        work.append(attack(running, unit_of_work, name))
    assert work[-1] < MAX_WORK
    assert poll(lambda: running.metrics()["inference_requests_in_flight"] == 1, 30)
    assert not any(count for series, count in running.metrics().items() if 'outcome="server_error"' in series)
    assert not {"connection failed", "request failed"} & set(running.events())
    assert peak_bytes(running) < Settings(model_uri="file:unused").memory_bytes()


def attack(running: Service, unit_of_work: float, name: str) -> float:
    """The most CPU time that the service spent while a plain client waited, in units; each answer was correct."""
    with PlainClient(running) as client, attacking(running) as attacker:
        ATTACKS[name](attacker)
        served = len(client.waits)
        assert poll(lambda: len(client.waits) > served + 20, 30)
    worst, work_seconds = max(client.waits), max(client.work)
    work = work_seconds / unit_of_work
    print(  # noqa: T201
        f"{name}: {len(client.waits)} probes, longest wait {worst * 1000:.1f} ms, {work_seconds * 1000:.1f} ms of CPU"
        f" ({work:.2f} of at most {MAX_WORK} units), peak {peak_bytes(running) / 2**20:.0f} MiB"
    )
    assert not client.faults
    return work


def test_stalled_bodies_leave_room_for_others(running: Service) -> None:
    """One address may hold half of all bytes: another one gets a large body through meanwhile."""
    large = json.dumps({"text": ["free money " * 90] * 900}).encode()
    with attacking(running) as attacker, attacking(running, "127.0.0.3") as other:
        ATTACKS["stalled_bodies"](attacker)
        client = other.connect()
        client.sendall(post(large, b"Connection: close\r\n"))
        client.settimeout(20)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_idle_connections_do_not_lock_others_out(model: Path, tmp_path: Path) -> None:
    """At the limit the connection that is silent longest ends; new clients and probes are served."""
    with service(model, tmp_path / "log", max_connections=60) as running, attacking(running) as attacker:
        clients = [attacker.connect() for _ in range(100)]
        for client in clients:
            attacker.send(client, PREDICT)
        with attacking(running, "127.0.0.3") as other:
            mine = [other.connect() for _ in range(29)]
            for client in mine:
                client.sendall(PREDICT)
                assert client.recv(65_536).startswith(b"HTTP/1.1 200")
            for _ in range(50):
                assert running.ask("/readyz")[0] == 200
            for client in mine:
                client.sendall(PREDICT)
                assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_without_descriptors_the_service_waits_and_recovers(model: Path, tmp_path: Path) -> None:
    """While no connection can be accepted the process is idle, and afterwards it serves as before."""
    with service(model, tmp_path / "log") as running, attacking(running) as attacker:
        resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (100, 100))
        for _ in range(300):
            attacker.connect()
        assert poll(lambda: len(list(Path(f"/proc/{running.process.pid}/fd").iterdir())) == 100)
        before, began = cpu_seconds(running), time.monotonic()
        time.sleep(1)  # what is measured: an accept loop that fails again and again would use all of it
        assert cpu_seconds(running) - before < 0.3 * (time.monotonic() - began)
        attacker.close()
        assert poll(lambda: _is_served(running))
        for _ in range(20):
            assert running.ask("/predict", BODY)[0] == 200


def test_with_few_descriptors_silent_clients_leave_before_there_is_none(model: Path, tmp_path: Path) -> None:
    """The limit of connections follows the limit of open files, so probes are answered during the attack."""
    program = "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160));"
    program += "runpy.run_module('inference', run_name='__main__')"
    with (
        service(model, tmp_path / "log", program=[sys.executable, "-c", program]) as running,
        attacking(running) as attacker,
    ):
        assert "too few file descriptors" in running.events()
        for _ in range(300):
            attacker.connect()
        for _ in range(50):
            assert running.ask("/readyz")[0] == 200


def _is_served(running: Service) -> bool:
    try:
        return running.ask("/readyz")[0] == 200
    except (OSError, ValueError):
        return False


def test_memory_stays_within_the_formula_at_every_limit(model: Path, tmp_path: Path) -> None:
    """All connections open with a started head, all bytes held by two addresses, and long bodies being answered."""
    limits = Settings(model_uri="file:unused", max_connections=800)
    with (
        service(model, tmp_path / "log", max_connections=800) as running,
        attacking(running) as one,
        attacking(running, "127.0.0.3") as two,
    ):
        for attacker in (one, two):
            for _ in range(370):
                attacker.send(attacker.connect(), b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 90)
            for _ in range(17):
                attacker.send(attacker.connect(), post(b" " * 2_000_000, length=2_000_001))
            for _ in range(5):
                attacker.send(attacker.connect(), post(b'{"text": "' + "\u0130".encode() * 990_000 + b'"}'))
        assert running.ask("/predict", BODY)[0] == 200
        peak = peak_bytes(running)
        print(f"peak {peak / 2**20:.0f} MiB of at most {limits.memory_bytes() / 2**20:.0f}")  # noqa: T201 - measured
        assert peak < limits.memory_bytes()


@pytest.mark.parametrize("name", ["unread_answers", "stalled_bodies", "many_values", "pipelines"])
def test_the_process_ends_in_time_under_attack(model: Path, tmp_path: Path, name: str) -> None:
    """After the drain's deadline connections are aborted, and the exit code is 0."""
    with service(model, tmp_path / "log", drain_seconds=2) as running, attacking(running) as attacker:
        ATTACKS[name](attacker)
        began = time.monotonic()
        assert running.stop(seconds=30) == 0
        assert time.monotonic() - began < 10
    assert running.events()[-1] == "stopped"


def test_memory_does_not_grow(running: Service) -> None:
    """After all that, a further round of every cheap attack needs no more memory."""
    before = peak_bytes(running)
    for name in ("upgrades", "resets", "mutations", "large_heads"):
        with attacking(running) as attacker:
            ATTACKS[name](attacker)
        assert poll(lambda: running.metrics()["inference_requests_in_flight"] == 1, 30)
    assert peak_bytes(running) < before * 1.1
