"""Runs as a pod's command: POST /predict at a constant rate over kept-alive connections, and counts what comes back.

The argument is JSON: `host`, `port`, `rate` (requests a second, all connections together), `connections`, `seconds`,
`characters` (length of the text). Standard output holds one line of JSON a second:
`{"second": unix time, "ok": n, "failed": {reason: n}, "shed": n, "ms": [latency of each answered request]}`.
A request that gets no answer, an answer other than 200, or a connection that cannot be opened is a failure and is never
sent again; only 429, which asks to come back later, is counted apart. A connection that the server closes after an
answer that announced it (`Connection: close`) is opened anew.

A new pod's packets are refused until the policy engine of every node knows its address: its first moments, which are
measured apart. So a connection's requests count once one like them was answered; `{"knocks": n}`, the first line, says
how many were asked before.
"""

# ruff: noqa: T201 - what it prints is its answer

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from typing import Any

TIMEOUT_SECONDS = 5.0
KNOCK_SECONDS = 30.0


class Tally:
    """Outcomes by the second in which a request was sent."""

    def __init__(self) -> None:
        self.ok: Counter[int] = Counter()
        self.shed: Counter[int] = Counter()
        self.failed: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.milliseconds: defaultdict[int, list[float]] = defaultdict(list)

    def add(self, outcome: str, sent: float, took: float) -> None:
        """Count one request."""
        second = int(sent)
        if outcome in {"ok", "shed"}:
            (self.ok if outcome == "ok" else self.shed)[second] += 1
            self.milliseconds[second].append(round(took * 1000, 2))
        else:
            self.failed[second][outcome] += 1

    def say(self, second: int) -> None:
        """Print a second and forget it."""
        line = {
            "second": second,
            "ok": self.ok.pop(second, 0),
            "shed": self.shed.pop(second, 0),
            "failed": self.failed.pop(second, Counter()),
            "ms": self.milliseconds.pop(second, []),
        }
        print(json.dumps(line, separators=(",", ":")), flush=True)


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> str:
        """Send a request and read its answer; how it ended in a word or a line."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._ask(request)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self.close()
            return f"{type(error).__name__}: {error}"[:120]

    async def _ask(self, request: bytes) -> str:
        if self.writer is None or self.reader is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1].decode()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length or 0))
        if b"connection: close" in head:
            self.close()
        return {"200": "ok", "429": "shed"}.get(status, f"status {status}")

    def close(self) -> None:
        """Let the connection go; the next request opens a new one."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def knock(connection: Connection, request: bytes) -> int:
    """Ask until there is an answer, or for 30 seconds: what fails after that is counted as any other failure."""
    knocks, end = 1, time.time() + KNOCK_SECONDS
    while await connection.ask(request) not in {"ok", "shed"} and time.time() < end:
        await asyncio.sleep(0.2)
        knocks += 1
    return knocks


async def client(
    order: dict[str, Any], connection: Connection, tally: Tally, request: bytes, number: int, end: float
) -> None:
    """Send requests at this connection's share of the rate; one that is late sends at once."""
    gap = order["connections"] / order["rate"]
    due = time.time() + gap * number / order["connections"]
    while due < end:
        await asyncio.sleep(max(0.0, due - time.time()))
        sent = time.time()
        outcome = await connection.ask(request)
        tally.add(outcome, sent, time.time() - sent)
        due = max(due + gap, time.time() - 1)
    connection.close()


async def main() -> None:
    """Run all connections to the end, and print every second when no request of it can be open any more."""
    order = json.loads(sys.argv[1])
    words = "free money offer meeting agenda report invoice click please attached "
    text = (words * (order["characters"] // len(words) + 1))[: order["characters"]]
    body = json.dumps({"text": text}).encode()
    head = ("POST /predict HTTP/1.1", f"Host: {order['host']}", "Content-Type: application/json")
    request = "\r\n".join((*head, f"Content-Length: {len(body)}", "", "")).encode() + body
    connections = [Connection(order["host"], order["port"]) for _ in range(order["connections"])]
    knocks = await asyncio.gather(*(knock(each, request) for each in connections))
    print(json.dumps({"knocks": sum(knocks)}), flush=True)
    tally, begin = Tally(), time.time()
    end = begin + order["seconds"]
    clients = [
        asyncio.ensure_future(client(order, connection, tally, request, number, end))
        for number, connection in enumerate(connections)
    ]
    second = int(begin)
    while not all(each.done() for each in clients):
        await asyncio.sleep(1)
        while second < time.time() - TIMEOUT_SECONDS - 2:
            tally.say(second)
            second += 1
    await asyncio.gather(*clients)
    while second <= time.time():
        tally.say(second)
        second += 1
    print(json.dumps({"done": True}), flush=True)


asyncio.run(main())
