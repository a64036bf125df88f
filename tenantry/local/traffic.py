"""Traffic for tenants that are served locally: valid and invalid requests, and bursts of which some are shed."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

import httpx

from inference import contract
from tenantry.local.servers import HOST, TenantServer

PAUSE_SECONDS: Final = 0.1
BURST: Final = 32
"""Concurrent requests of a burst: more than the limit that `tenantry monitor` sets."""
BURST_EVERY: Final = 300
"""Valid requests between two bursts."""
HOLD_SECONDS: Final = 0.05
"""How long a burst delays the bodies of its requests."""
_SENTENCES: Final = "the patch fixes the build, please review it before the meeting. click here and win free money now!"
_WORDS: Final = _SENTENCES.split()


@contextmanager
def flowing(servers: Sequence[TenantServer], texts: Mapping[str, Sequence[str]] | None = None) -> Iterator[None]:
    """Send requests to every tenant until the block ends.

    Args:
        servers: the tenants' processes.
        texts: texts to classify, by tenant; other tenants get random words.
    """
    stop = threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(server, (texts or {}).get(server.tenant, ()), stop), daemon=True)
        for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def burst(server: TenantServer, count: int = BURST) -> list[int]:
    """Begin requests at the same time, complete them a moment later, and return the status of each response.

    A request that has begun is in flight, so those above the limit are shed however fast the service is.
    """
    body = json.dumps({"text": _SENTENCES}).encode()
    head = (
        f"POST {contract.PREDICT_PATH} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection((HOST, server.port), timeout=30)) for _ in range(count)
        ]
        for connection in connections:
            connection.sendall(head)
        time.sleep(HOLD_SECONDS)
        for connection in connections:
            with suppress(OSError):  # the service may have closed a refused one
                connection.sendall(body)
        return [status for connection in connections if (status := _status(connection))]


def _status(connection: socket.socket) -> int:
    """The status of the response on a connection; 0 if the connection broke before."""
    try:
        return int(connection.recv(16).split()[1])
    except (OSError, IndexError):
        return 0


def _ask(server: TenantServer, texts: Sequence[str], stop: threading.Event) -> None:
    chance = random.Random(server.tenant)  # noqa: S311 - reproducible traffic, not a secret
    url = f"{server.url}{contract.PREDICT_PATH}"
    turn = 0
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not stop.wait(PAUSE_SECONDS):
            turn += 1
            try:
                client.post(url, json={"text": chance.choice(texts) if texts else _text(chance)})
                if turn % 20 == 0:
                    client.post(url, json={"test": "a wrong key"})
                if turn % BURST_EVERY == 0:
                    burst(server)
            except (httpx.HTTPError, OSError):
                continue  # the tenant is down; the alerts report it


def _text(chance: random.Random) -> str:
    """A random text in which no model knows some of the words."""
    unknown = [f"zq{chance.randrange(10**6)}" for _ in range(chance.randrange(3))]
    return " ".join(chance.choices(_WORDS, k=chance.randrange(5, 60)) + unknown)
