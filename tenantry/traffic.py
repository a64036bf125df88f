"""A little traffic for tenants that are served here: good requests, wrong ones, and bursts of which some are shed."""

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import httpx

from inference import contract
from tenantry.local import Server

PAUSE_SECONDS: Final = 0.1
BURST: Final = 32
"""Requests at once: more than the limit in flight that `tenantry monitor` sets."""
_LONG: Final = 20_000
"""Words of a burst's texts: they take long enough to be in flight together."""
_SENTENCES: Final = "the patch fixes the build, please review it before the meeting. click here and win free money now!"
_WORDS: Final = _SENTENCES.split()


@contextmanager
def flowing(servers: Sequence[Server], texts: Mapping[str, Sequence[str]] | None = None) -> Iterator[None]:
    """Ask every tenant, again and again, until the block ends.

    Args:
        servers: the tenants' processes.
        texts: what each tenant is asked about; a tenant that is left out gets words of no meaning.
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


def burst(server: Server, count: int = BURST) -> list[int]:
    """Send long texts all at once and return the status of each answer."""
    body = {"text": " ".join(_WORDS * (_LONG // len(_WORDS)))}

    with httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=count)) as client:

        def send(_number: int) -> int:
            return client.post(f"{server.url}{contract.PREDICT_PATH}", json=body).status_code

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(send, range(count)))


def _ask(server: Server, texts: Sequence[str], stop: threading.Event) -> None:
    chance = random.Random(server.tenant)  # noqa: S311 - the same traffic every time, not a secret
    url = f"{server.url}{contract.PREDICT_PATH}"
    turn = 0
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not stop.wait(PAUSE_SECONDS):
            turn += 1
            try:
                client.post(url, json={"text": chance.choice(texts) if texts else _text(chance)})
                if turn % 20 == 0:
                    client.post(url, json={"test": "a wrong key"})
                if turn % 100 == 0:
                    burst(server)
            except httpx.HTTPError:
                continue  # it is gone for now: that is what the alerts are for


def _text(chance: random.Random) -> str:
    """A text of some words, a few of which no model knows."""
    unknown = [f"zq{chance.randrange(10**6)}" for _ in range(chance.randrange(3))]
    return " ".join(chance.choices(_WORDS, k=chance.randrange(5, 60)) + unknown)
