"""Connections without sockets: a transport that records, and a service that answers on a loop of its own."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from inference.model.interface import LoadedModel
from inference.serving.application import create_app
from inference.serving.http.batch import Batch
from inference.serving.http.clients import Clients
from inference.serving.http.connection import READ_BYTES, Connection, Shared
from inference.serving.http.wire import AnswerWriter
from inference.settings import Settings


@dataclass(eq=False)
class Client:
    """The other end of a connection.

    Attributes:
        address: Where it calls from.
        received: What it has read.
        unread: What waits for it while it does not read.
    """

    address: str
    received: bytearray = field(default_factory=bytearray)
    unread: bytearray = field(default_factory=bytearray)
    is_reading: bool = True
    is_paused: bool = False
    is_closed: bool = False
    has_eof: bool = False
    connection: Any = None

    # --- what the connection calls ---

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return (self.address, 1) if name == "peername" else ("127.0.0.1", 8000)

    def get_write_buffer_size(self) -> int:
        return len(self.unread)

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False

    def write(self, data: bytes) -> None:
        assert not self.has_eof
        if self.is_closed:
            return
        if self.is_reading:
            self.received += data
            return
        was_empty = not self.unread
        self.unread += data
        if was_empty:
            self.connection.pause_writing()

    def write_eof(self) -> None:
        self.has_eof = True

    def close(self) -> None:
        self._end()

    def abort(self) -> None:
        self.unread.clear()
        self._end()

    def _end(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.connection._loop.call_soon(self.connection.connection_lost, None)

    # --- what the client does ---

    def send(self, data: bytes) -> bytes:
        """Deliver as much as the connection takes; return the rest."""
        while data and not self.is_paused and not self.is_closed:
            buffer = self.connection.get_buffer(-1)
            count = min(len(data), len(buffer))
            buffer[:count] = data[:count]
            data = data[count:]
            self.connection.buffer_updated(count)
        return data

    def read_on(self) -> None:
        """Read everything that waits, and what comes after it."""
        self.is_reading = True
        if self.unread:
            self.received += self.unread
            self.unread.clear()
            self.connection.resume_writing()


class Offline:
    """A server without sockets.

    Args:
        model: What it answers with.
        settings: Its settings.
    """

    def __init__(self, model: LoadedModel, **settings: Any) -> None:
        self.app = create_app(Settings(model_uri="unused", **settings))
        self.service = self.app.service
        self.service.add_model(model)
        self.loop = asyncio.new_event_loop()
        self.clients: Clients[Connection] = Clients(self.service.settings, self.service.admission)
        self.shared = Shared(
            self.app, self.service, self.clients, AnswerWriter(), Batch(self.service), None, bytearray(READ_BYTES)
        )

    def connect(self, address: str = "10.0.0.1") -> Client:
        """A new connection from that address."""
        client = Client(address)
        client.connection = Connection(self.shared, self.loop)
        client.connection.connection_made(client)
        return client

    def run(self, steps: int = 60) -> None:
        """Let the loop run that many rounds."""

        async def rounds() -> None:
            for _ in range(steps):
                await asyncio.sleep(0)

        self.loop.run_until_complete(rounds())

    def finish(self) -> None:
        """Let the loop run until nothing is in flight, in the thread neither."""
        for _ in range(5_000):
            self.run(20)
            if not self.service.admission.in_flight:
                return
            self.loop.run_until_complete(asyncio.sleep(0.001))
        raise AssertionError("a request stays in flight")

    def exchange(self, data: bytes) -> bytes:
        """What a new client gets for `data`."""
        client = self.connect()
        while data := client.send(data):
            self.finish()
        self.finish()
        self.run()
        return bytes(client.received)

    def close(self) -> None:
        """End every connection, and check that nothing is counted any longer."""
        self.clients.each(Connection.abort)
        self.finish()
        self.run()
        self.service.close()
        self.loop.close()
        admission = self.service.admission
        assert (admission.in_flight, admission.held_bytes, len(self.clients)) == (0, 0, 0)
        assert not self.clients._peers
