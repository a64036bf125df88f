"""The load generator of the end-to-end suite, asked without a cluster."""

import asyncio
import json
import sys
from collections import Counter
from typing import Any, Final

from tenantry.cluster import load_pod
from tenantry.cluster.load_job import SCRIPT

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BAD: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


def _load_with(answers: list[bytes], **options: Any) -> tuple[int, int, Counter[str], int]:
    """One second of load on a server that gives these answers, then 200s.

    Returns:
        First attempts, answers, failures, and how many connections were opened.
    """
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while True:
            head = await reader.read(65536)
            if not head:
                break
            writer.write(answers.pop(0) if answers else OK)
        writer.close()

    async def run() -> bytes:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        order = {"host": "127.0.0.1", "port": port, "path": "/", "rate": 20, "connections": 1, "seconds": 1}
        order |= {"characters": 20, "requests_per_connection": 0, "latencies": True} | options
        load = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), json.dumps(order), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await load.communicate()
        server.close()
        await server.wait_closed()
        assert load.returncode == 0
        return said

    lines = [json.loads(line) for line in asyncio.run(run()).splitlines()]
    failed: Counter[str] = Counter()
    for line in lines:
        failed.update(line.get("failed", {}))
    return lines[0]["first_attempts"], sum(line.get("ok", 0) for line in lines), failed, opened


def test_load_counts_nothing_before_its_first_answer() -> None:
    """What a new pod is refused before the network knows it is not a failure of the service."""
    attempts, answered, failed, _ = _load_with([BAD, BAD])
    assert (attempts, failed) == (3, Counter())
    assert answered > 0


def test_load_counts_every_failure_after_it() -> None:
    """Once it was answered, nothing is asked twice."""
    attempts, answered, failed, _ = _load_with([OK, OK, BAD, OK, BAD])
    assert (attempts, failed) == (1, Counter({"status 503": 2}))
    assert answered > 0


def test_connections_are_opened_again_after_so_many_requests() -> None:
    """New pods of a Service get requests only over new connections."""
    attempts, answered, _, opened = _load_with([], requests_per_connection=1)
    assert opened == attempts + answered


def test_without_a_rate_the_next_request_follows_the_answer() -> None:
    """More than a rate of 20 per second would send, and nothing is lost."""
    _, answered, failed, opened = _load_with([], rate=0, latencies=False)
    assert (answered > 40, failed, opened) == (True, Counter(), 1)


def test_load_sends_a_body_of_its_own() -> None:
    """A model of records gets a record, any other a text."""
    order = {"host": "a", "path": "/predict", "characters": 4}
    record = {"inputs": {"age": 1}}
    assert load_pod.prediction(order | {"body": record}).endswith(json.dumps(record).encode())
    assert load_pod.prediction(order | {"body": None}).endswith(json.dumps({"text": "free"}).encode())
