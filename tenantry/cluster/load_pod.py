"""Runs as a pod's command: sends predictions to one Service over kept-alive connections and counts the answers.

Standard library only, and one file: the caller passes its text to the Python of the service's own image. The argument
is one JSON object:

- `host`, `port`, `path`: where to send.
- `rate`: requests per second, over all connections; 0 sends the next request as soon as an answer arrives.
- `connections`, `seconds`: how many connections, for how long.
- `characters`: length of the text.
- `body`: JSON to send instead of a text; absent or null: a text.
- `requests_per_connection`: after so many, a connection is opened again, so that new pods get their share; 0: never.
- `latencies`: whether to report the latency of each request.

If the variable `TENANTRY_API_KEY` is set, each request has this API key.

Standard output has one line of JSON per second:
`{"second": unix time, "ok": n, "failed": {reason: n}, "shed": n, "ms": [latency of each answered request]}`.
A request without an answer, an answer other than 200, or a connection that cannot be opened is a failure and is never
sent again; only 429, which asks the client to come back later, is counted separately. If the server closes a connection
after an answer that announces it (`Connection: close`), the connection is opened again.

A new pod's packets are refused until the policy engine of every node knows its address. So the requests of a connection
count only after a first request was answered; the first line, `{"first_attempts": n}`, has the number of requests that
this took. The last line is `{"done": true}`. If the first answer is 401 or 403, the pod reports it and fails, because
later requests would have the same key.
"""

# ruff: noqa: T201 - what it prints is the result

import asyncio
import json
import os
import sys
import time
from collections import Counter, defaultdict
from typing import Any

KEY_VARIABLE = "TENANTRY_API_KEY"
REFUSED = frozenset({"status 401", "status 403"})
"""Outcomes of a request without a valid API key."""
TIMEOUT_SECONDS = 5.0
FIRST_ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.1
"""After a failure, when the rate does not limit the requests."""


class RefusedError(Exception):
    """The service requires another API key; the message is the outcome."""


class Tally:
    """Outcomes by the second in which a request was sent."""

    def __init__(self, *, latencies: bool) -> None:
        self.latencies = latencies
        self.ok: Counter[int] = Counter()
        self.shed: Counter[int] = Counter()
        self.failed: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.milliseconds: defaultdict[int, list[float]] = defaultdict(list)

    def add(self, outcome: str, sent: float, took: float) -> None:
        """Count one request."""
        second = int(sent)
        if outcome in {"ok", "shed"}:
            (self.ok if outcome == "ok" else self.shed)[second] += 1
            if self.latencies:
                self.milliseconds[second].append(round(took * 1000, 2))
        else:
            self.failed[second][outcome] += 1

    def report(self, second: int) -> None:
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

    def __init__(self, host: str, port: int, requests: int) -> None:
        self.host, self.port, self.requests = host, port, requests
        self.sent = 0
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> str:
        """Send a request and read its answer; returns how it ended in a word or a line."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._ask(request)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self.close()
            return f"{type(error).__name__}: {error}"[:120]

    async def _ask(self, request: bytes) -> str:
        if self.writer is None or self.reader is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
            self.sent = 0
        self.writer.write(request)
        self.sent += 1
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1].decode()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length or 0))
        if b"connection: close" in head or self.sent == self.requests:
            self.close()
        return {"200": "ok", "429": "shed"}.get(status, f"status {status}")

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def first_answer(connection: Connection, request: bytes) -> int:
    """Ask until there is an answer, or for 30 seconds; later failures count like any other.

    Raises:
        RefusedError: The answer was that the API key is missing or not valid.
    """
    attempts, end = 1, time.time() + FIRST_ANSWER_SECONDS
    while (outcome := await connection.ask(request)) not in {"ok", "shed"} and time.time() < end:
        if outcome in REFUSED:
            raise RefusedError(outcome)
        await asyncio.sleep(0.2)
        attempts += 1
    return attempts


async def client(  # noqa: PLR0917 - one call
    order: dict[str, Any], connection: Connection, tally: Tally, request: bytes, number: int, end: float
) -> None:
    """Send this connection's share of the requests; a request that is late is sent at once."""
    gap = order["connections"] / order["rate"] if order["rate"] else 0
    due = time.time() + gap * number / order["connections"]
    while due < end:
        await asyncio.sleep(max(0.0, due - time.time()))
        sent = time.time()
        outcome = await connection.ask(request)
        tally.add(outcome, sent, time.time() - sent)
        due = max(due + gap, time.time() - 1) if gap else time.time() + PAUSE_SECONDS * (outcome not in {"ok", "shed"})
    connection.close()


def prediction(order: dict[str, Any]) -> bytes:
    """The request that every connection sends."""
    words = "free money offer meeting agenda report invoice click please attached "
    text = (words * (order["characters"] // len(words) + 1))[: order["characters"]]
    body = json.dumps(order.get("body") or {"text": text}).encode()
    head = [f"POST {order['path']} HTTP/1.1", f"Host: {order['host']}", "Content-Type: application/json"]
    if key := os.environ.get(KEY_VARIABLE):
        head.append(f"Authorization: Bearer {key}")
    return "\r\n".join((*head, f"Content-Length: {len(body)}", "", "")).encode() + body


async def main() -> None:
    """Run all connections to the end; print a second when none of its requests can be open any more."""
    order = json.loads(sys.argv[1])
    request, requests = prediction(order), order["requests_per_connection"]
    connections = [Connection(order["host"], order["port"], requests) for _ in range(order["connections"])]
    tally = Tally(latencies=order["latencies"])
    try:
        attempts = await asyncio.gather(*(first_answer(each, request) for each in connections))
    except RefusedError as error:
        now = time.time()
        tally.add(str(error), now, 0)
        tally.report(int(now))
        sys.exit(1)
    print(json.dumps({"first_attempts": sum(attempts)}), flush=True)
    begin = time.time()
    end = begin + order["seconds"]
    clients = [
        asyncio.ensure_future(client(order, connection, tally, request, number, end))
        for number, connection in enumerate(connections)
    ]
    second = int(begin)
    while not all(each.done() for each in clients):
        await asyncio.wait(clients, timeout=1)
        while second < time.time() - TIMEOUT_SECONDS - 2:
            tally.report(second)
            second += 1
    await asyncio.gather(*clients)
    while second <= time.time():
        tally.report(second)
        second += 1
    print(json.dumps({"done": True}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
