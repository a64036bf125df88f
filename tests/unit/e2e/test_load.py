"""The load generator of the end-to-end suite, asked without a cluster."""

import asyncio
import json
import sys
from collections import Counter
from typing import Final

from tests.e2e.cluster import INSIDE

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BAD: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


def _load_with(answers: list[bytes]) -> tuple[int, int, Counter[str]]:
    """One second of load on a server that gives these answers, then 200s: knocks, answers, failures."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.read(65536)
            if not head:
                break
            writer.write(answers.pop(0) if answers else OK)
        writer.close()

    async def run() -> bytes:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        order = {"host": "127.0.0.1", "port": port, "rate": 20, "connections": 1, "seconds": 1, "characters": 20}
        load = await asyncio.create_subprocess_exec(
            sys.executable, str(INSIDE / "load.py"), json.dumps(order), stdout=asyncio.subprocess.PIPE
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
    return lines[0]["knocks"], sum(line.get("ok", 0) for line in lines), failed


def test_load_counts_nothing_before_its_first_answer() -> None:
    """What a new pod is refused before the network knows it is not a failure of the service."""
    knocks, answered, failed = _load_with([BAD, BAD])
    assert (knocks, failed) == (3, Counter())
    assert answered > 0


def test_load_counts_every_failure_after_it() -> None:
    """Once it was answered, nothing is asked twice."""
    knocks, answered, failed = _load_with([OK, OK, BAD, OK, BAD])
    assert (knocks, failed) == (1, Counter({"status 503": 2}))
    assert answered > 0
