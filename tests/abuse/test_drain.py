"""Ten restarts with load on, behind a balancer that follows /readyz: no request fails (`make drain-test`)."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from pathlib import Path

import httpx

from tests.models import write_tiny_model
from tests.service import HOST, Service, service

REPLICAS = 2
RESTARTS = 10
LEAST_REQUESTS = 20_000
CLIENTS = 16
POLL_SECONDS = 0.1
NOTICE_SECONDS = 0.5
"""The service's setting: longer than the balancer's poll, as a readiness probe's period is in a cluster."""
BODY = b'{"text": "free money"}'
REQUEST = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False)
class Backend:
    """A replica as the balancer sees it: its port, whether it is ready, and connections that wait for a request."""

    port: int
    ready: bool = False
    idle: list[Streams] = field(default_factory=list)


class Balancer:
    """Sends each request to the next ready backend, once: no retry hides a failure."""

    def __init__(self) -> None:
        self.backends: list[Backend] = []
        self.results: Counter[str] = Counter()
        self.closed_by_service = 0
        self._turn = count()
        self._open: list[asyncio.StreamWriter] = []

    def has_answered(self, requests: int) -> bool:
        """Whether as many requests have ended, well or not."""
        return self.results.total() >= requests

    async def follow(self) -> None:
        """Ask every backend for its readiness, again and again."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                await asyncio.gather(*(self._look(client, backend) for backend in self.backends))
                await asyncio.sleep(POLL_SECONDS)

    async def load(self) -> None:
        """Ask, again and again, one request at a time."""
        while True:
            ready = [backend for backend in self.backends if backend.ready]
            if not ready:
                await asyncio.sleep(POLL_SECONDS / 10)
                continue
            backend = ready[next(self._turn) % len(ready)]
            try:
                self.results[await self._ask(backend)] += 1
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                self.results[f"{type(error).__name__} {error}"] += 1

    async def close(self) -> None:
        """End every connection."""
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._open), return_exceptions=True)

    async def _connect(self, backend: Backend) -> Streams:
        reader, writer = await asyncio.open_connection(HOST, backend.port)
        self._open.append(writer)
        return reader, writer

    async def _look(self, client: httpx.AsyncClient, backend: Backend) -> None:
        try:
            backend.ready = (await client.get(f"http://{HOST}:{backend.port}/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            backend.ready = False

    async def _ask(self, backend: Backend) -> str:
        reader, writer = backend.idle.pop() if backend.idle else await self._connect(backend)
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.closed_by_service += 1
            writer.close()
        else:
            backend.idle.append((reader, writer))
        return head.split()[1]


@contextmanager
def replica(model: Path, log: Path) -> Iterator[Service]:
    """One replica, ready."""
    with service(model, log, drain_notice_seconds=NOTICE_SECONDS, keep_alive_seconds=30) as found:
        yield found


def test_restarts_fail_no_request(tmp_path: Path) -> None:
    """Two replicas, one of them always on its way out or in: every request gets its 200, and every exit code is 0."""
    model = write_tiny_model(tmp_path / "model")
    balancer = Balancer()
    codes = asyncio.run(roll(balancer, model, tmp_path))
    assert codes == [0] * (RESTARTS + REPLICAS)
    assert balancer.results.total() >= LEAST_REQUESTS
    assert set(balancer.results) == {"200"}, balancer.results
    assert balancer.closed_by_service > 0, "kept connections must be closed by the service"
    answered = sum(json.loads(log.read_text().splitlines()[-1])["answered"] for log in tmp_path.glob("log-*"))
    assert answered >= balancer.results.total(), "the services' own count"
    print(f"{balancer.results.total()} requests over {RESTARTS} restarts, {balancer.results}")  # noqa: T201 - the proof


async def roll(balancer: Balancer, model: Path, folder: Path) -> list[int]:
    """Restart the replicas in turn while clients ask; give back their exit codes."""
    codes = []
    with ExitStack() as stack:
        names = count()

        def start() -> Service:
            return stack.enter_context(replica(model, folder / f"log-{next(names)}"))

        replicas = [await asyncio.to_thread(start) for _ in range(REPLICAS)]
        balancer.backends = [Backend(each.port) for each in replicas]
        tasks = [
            asyncio.create_task(balancer.follow()),
            *(asyncio.create_task(balancer.load()) for _ in range(CLIENTS)),
        ]
        for number, place in zip(range(RESTARTS), cycle(range(REPLICAS)), strict=False):
            await until(lambda: all(backend.ready for backend in balancer.backends))
            await until(partial(balancer.has_answered, LEAST_REQUESTS * (number + 1) // RESTARTS))
            codes.append(await asyncio.to_thread(replicas[place].stop))
            replicas[place] = await asyncio.to_thread(start)
            balancer.backends[place] = Backend(replicas[place].port)
        await until(lambda: all(backend.ready for backend in balancer.backends))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await balancer.close()
        codes += [await asyncio.to_thread(each.stop) for each in replicas]
    return codes


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, a minute at most."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(POLL_SECONDS / 5)
