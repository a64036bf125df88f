"""The process's life: it listens, watches deadlines, and shuts down without failing a request."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import FrameType
from typing import Final

import structlog
import uvicorn

from inference import __version__
from inference.origins import parse_origins
from inference.serving.application import InferenceApp
from inference.serving.http.batch import Batch
from inference.serving.http.clients import Clients
from inference.serving.http.connection import READ_BYTES, Connection, Shared
from inference.serving.http.cors import Cors
from inference.serving.http.descriptors import connections_that_fit
from inference.serving.http.wire import AnswerWriter
from inference.settings import Settings

_log = structlog.get_logger()
_TICK_SECONDS: Final = 0.1
_TICKS_PER_DATE: Final = 5
_LAST_ANSWERS_SECONDS: Final = 0.2
"""What answers that are written at the end of the drain have to leave the process."""
_GRACE_SECONDS: Final = 2.0
"""After this long beyond the drain the process ends whatever holds it: a thread, a library, the event loop."""


class Server(uvicorn.Server):
    """Serves one application until a signal ends it.

    On SIGTERM it is not ready at once, serves new requests a little longer, until balancers notice, finishes the
    requests that have begun, and ends with exit code 0. SIGINT (Ctrl-C) skips the notice; a second one ends
    it at once.

    Attributes:
        exit_code: What the process should end with.
        clients: The open connections.
    """

    def __init__(self, app: InferenceApp) -> None:
        settings = app.service.settings
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop" if sys.platform != "win32" else "asyncio",
                http="httptools",  # not used: `startup` makes connections of our own
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
            )
        )
        self.app: Final = app
        self.service: Final = app.service
        self.settings: Final = settings
        self.clients: Final[Clients[Connection]] = Clients(_within_file_limit(settings), self.service.admission)
        self.exit_code = 0
        origins = parse_origins(settings.allowed_origins)
        cors = Cors(origins) if origins else None
        self._shared: Final = Shared(
            app, self.service, self.clients, AnswerWriter(), Batch(self.service), cors, bytearray(READ_BYTES)
        )
        self._stop_at = 0.0
        self._cut_at = 0.0
        self._began = perf_counter()
        self.service.on_failure = self._fail

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT; uvicorn's own way would end the process by the signal, not with 0."""
        loop = asyncio.get_running_loop()

        def handle(number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._drain, number)

        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            signal.signal(number, handle)
        try:
            yield
        finally:
            for number in numbers:  # the process is ending already
                signal.signal(number, signal.SIG_IGN)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the application and listen."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        self.servers = []
        for listener in sockets or []:
            self.servers.append(
                await loop.create_server(
                    lambda: Connection(self._shared, loop), sock=listener, backlog=self.settings.backlog
                )
            )
            host, port = listener.getsockname()[:2]
            _log.info("serving", host=host, port=port, version=__version__, model_uri=self.settings.model_uri)
        self.started = True

    async def main_loop(self) -> None:
        """Watch the deadlines and the clock until it is time to stop."""
        loop = asyncio.get_running_loop()
        tick = 0
        while not self.should_exit and not (self._stop_at and loop.time() >= self._stop_at):
            await asyncio.sleep(_TICK_SECONDS)
            self.clients.sweep(loop.time())
            tick += 1
            if tick % _TICKS_PER_DATE == 0:
                self._shared.writer.set_date()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, finish what has begun, and abort what does not finish in time."""
        loop = asyncio.get_running_loop()
        deadline = self._cut_at or loop.time() + self.settings.drain_seconds
        self.service.admission.draining = True
        _end_process_after(deadline - loop.time() + _GRACE_SECONDS, self.exit_code)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        while self.clients and not self.force_exit and loop.time() < deadline:
            self.clients.each(Connection.end_idle)
            await asyncio.sleep(_TICK_SECONDS / 2)
            self.clients.sweep(loop.time())
        if self.clients:
            await self._cut_off()
        await self.lifespan.shutdown()
        _log.info(
            "stopped",
            answered=self.service.answered,
            exit_code=self.exit_code,
            seconds=round(perf_counter() - self._began, 1),
        )

    async def _cut_off(self) -> None:
        """Refuse what is not whole, and abort every connection."""
        connections = len(self.clients)
        self.clients.each(Connection.cut_off)
        _log.warning("drain cut off", connections=connections, after_seconds=self.settings.drain_seconds)
        await asyncio.sleep(_LAST_ANSWERS_SECONDS)
        self.clients.each(Connection.abort)
        await asyncio.sleep(0)

    def _drain(self, number: int) -> None:
        """Begin to shut down; the state changes first, since nothing may keep it from doing so."""
        now = asyncio.get_running_loop().time()
        if self._stop_at:
            if number == signal.SIGINT:
                self.force_exit = self.should_exit = True
            return
        self.service.admission.draining = True
        self._stop_at = now + (self.settings.drain_notice_seconds if number == signal.SIGTERM else 0)
        self._cut_at = now + self.settings.drain_seconds
        _end_process_after(self.settings.drain_seconds + _GRACE_SECONDS, self.exit_code)
        _log.info("draining", signal=signal.Signals(number).name, in_flight=self.service.admission.in_flight)

    def _fail(self) -> None:
        """No model can be loaded: say why, in one line, and end."""
        self.exit_code = 1
        self.should_exit = True
        error = self.service.failure
        text = str(error) or type(error).__name__
        _log.error("start failed", error=text, model_uri=self.settings.model_uri)


def _within_file_limit(settings: Settings) -> Settings:
    """Lower `max_connections` if there are too few file descriptors: then the most silent client leaves in time."""
    fitting = connections_that_fit(settings.max_connections)
    if fitting == settings.max_connections:
        return settings
    _log.warning("too few file descriptors", max_connections=settings.max_connections, lowered_to=fitting)
    return settings.model_copy(update={"max_connections": fitting})


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens on `host` and `port`; `::` takes IPv4 too, or IPv4 alone if the system has no IPv6.

    Raises:
        OSError: The address does not belong to this machine, or is taken.
    """
    dual = host == "::" and socket.has_dualstack_ipv6()
    if host == "::" and not dual:
        host = "0.0.0.0"  # noqa: S104 - every address, as `::` is
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=backlog, dualstack_ipv6=dual)


def _end_process_after(seconds: float, exit_code: int) -> None:
    """End the process after that time at the latest, also if the event loop hangs or a thread does not end."""
    timer = threading.Timer(seconds, os._exit, (exit_code,))
    timer.daemon = True
    timer.start()
