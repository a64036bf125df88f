"""The process's life: listening, watching deadlines, and leaving without a failed request."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

import structlog
import uvicorn

from inference import __version__
from inference.serving.application import InferenceApp
from inference.serving.connection import Connection
from inference.serving.reading import State

_log = structlog.get_logger()
_SWEEP_SECONDS: Final = 0.1


class Server(uvicorn.Server):
    """Serves one application until a signal ends it.

    On SIGTERM it is not ready at once, takes requests a little longer, so that balancers notice, finishes what has
    begun, and ends with exit code 0. SIGINT, a person's Ctrl-C, skips the notice; a second one skips everything.

    Attributes:
        exit_code: What the process should end with.
    """

    def __init__(self, app: InferenceApp) -> None:
        settings = app.settings
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop" if sys.platform != "win32" else "asyncio",
                http=Connection,
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=settings.backlog,
            )
        )
        self.server_state = self.state = State()
        self.app: Final = app
        self.settings: Final = settings
        self.exit_code = 0
        self._stop_at = 0.0
        self._cut_at = 0.0
        self._began = perf_counter()
        app.on_failure = self._fail

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT on the loop; uvicorn's own way would end the process by the signal, not with 0."""
        loop = asyncio.get_running_loop()
        signals = {signal.SIGTERM: self.settings.drain_notice_seconds, signal.SIGINT: 0.0}
        for number, notice_seconds in signals.items():
            loop.add_signal_handler(number, self._drain, number, notice_seconds)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            _log.info("serving", host=host, port=port, version=__version__, model_uri=self.settings.model_uri)

    async def on_tick(self, counter: int) -> bool:
        """Once in a tenth of a second: write the date, watch the deadlines; give back whether to stop."""
        self._sweep()
        if await super().on_tick(counter):
            return True
        self.state.write_ok_head()
        return bool(self._stop_at) and asyncio.get_running_loop().time() >= self._stop_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, finish what has begun, cut off what does not finish in time."""
        loop = asyncio.get_running_loop()
        deadline = self._cut_at or loop.time() + self.settings.drain_seconds
        self.app.admission.draining = True
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        self._each("shutdown")
        while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:
            if loop.time() >= deadline:
                self.app.admission.closed = True
                cut = len(self.server_state.connections)
                self._each("cut")
                _log.warning("drain cut off", connections=cut, after_seconds=self.settings.drain_seconds)
                await asyncio.sleep(_SWEEP_SECONDS)
                break
            await asyncio.sleep(_SWEEP_SECONDS / 2)
            self._sweep()
        await self.lifespan.shutdown()
        _log.info(
            "stopped",
            answered=self.server_state.total_requests,
            exit_code=self.exit_code,
            seconds=round(perf_counter() - self._began, 1),
        )

    def _drain(self, number: int, notice_seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._stop_at and number == signal.SIGINT:
            self.force_exit = self.should_exit = True
            return
        if not self._stop_at:
            _log.info("draining", signal=signal.Signals(number).name, in_flight=self.app.admission.in_flight)
            self.app.admission.draining = True
            self._each("end_after_answer")  # whoever sends a request later is told to close with its answer
            self._stop_at = now + notice_seconds
            self._cut_at = now + self.settings.drain_seconds
            self.should_exit = not notice_seconds

    def _fail(self) -> None:
        """There will never be a model: say why, in one line, and end."""
        _log.error("start failed", error=str(self.app.failure), model_uri=self.settings.model_uri)
        self.exit_code = 1
        self.should_exit = True

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        connections = self.server_state.connections
        for connection in [each for each in connections if each.deadline < now]:  # type: ignore[union-attr]
            connection.expire()  # type: ignore[union-attr]

    def _each(self, method: str) -> None:
        for connection in list(self.server_state.connections):
            getattr(connection, method)()


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens on `host` and `port`; `::` takes IPv4 too.

    Raises:
        OSError: the address is not this machine's, or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=family, backlog=backlog, dualstack_ipv6=dual)
