"""One client's connection: reads its requests, and answers them one after the other.

The connection owns what it holds: its state says which bytes and which request count, and `_settle`, which ends every
event, brings the shared counters, the deadline and the transport in line with that state. Nothing is counted elsewhere,
so no fault on the way can leave a count behind.
"""

import asyncio
import math
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, NamedTuple, ParamSpec

import structlog
from starlette.types import ASGIApp

from inference.errors import BadRequestError, RequestTimeoutError
from inference.serving.http.batch import Batch
from inference.serving.http.cors import Cors
from inference.serving.http.exchange import Exchange
from inference.serving.http.inbox import Inbox
from inference.serving.http.phases import READING, Phase, timeouts
from inference.serving.http.request import Request, Stage
from inference.serving.http.wire import CONTINUE, AnswerWriter
from inference.serving.limits import too_late
from inference.serving.logs import where
from inference.serving.problems import Answer
from inference.serving.service import Service

if TYPE_CHECKING:
    from inference.serving.http.clients import Clients

P = ParamSpec("P")
READ_BYTES: Final = 16_384
"""Bytes that are read from a connection at a time: other connections get their turn after that many."""
FREE_BYTES: Final = 4_096
"""Bytes that a connection may hold without being charged: an ordinary request on its way costs no counting."""
_log = structlog.get_logger()


class Shared(NamedTuple):
    """What the connections of one server share."""

    app: ASGIApp
    service: Service
    clients: "Clients[Connection]"
    writer: AnswerWriter
    batch: Batch
    cors: Cors | None
    buffer: bytearray
    """Where bytes arrive; they are parsed or copied before the next connection reads."""


def _event(method: Callable[Concatenate["Connection", P], None]) -> Callable[Concatenate["Connection", P], None]:
    """Let `_settle` follow a method; a fault in either ends this connection and no other."""

    @wraps(method)
    def run(self: "Connection", /, *arguments: P.args, **options: P.kwargs) -> None:
        try:
            method(self, *arguments, **options)
            self._settle()
        except Exception as error:  # noqa: BLE001 - whatever it is, only this connection may suffer
            self._fail(error)

    return run


class Connection(asyncio.BufferedProtocol):
    """See the module. All times are the event loop's, in seconds.

    Attributes:
        peer: Whose connection it is.
        phase: What it waits for.
        deadline: Until when.
        waits_since: Since when.
        heard_at: When the client last sent something.
        held_bytes: Bytes that are held for it, as counted.
    """

    transport: asyncio.Transport

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._shared: Final = shared
        self._clients: Final = shared.clients
        self._writer: Final = shared.writer
        self._cors: Final = shared.cors
        self._buffer: Final = memoryview(shared.buffer)
        self._admission: Final = shared.service.admission
        self._timeouts: Final = timeouts(shared.service.settings)
        self._loop: Final = loop
        self._now: Final = loop.time
        self._inbox: Final = Inbox(shared.service.settings)
        self._current: Exchange | None = None
        self._is_paused = False  # reading
        self._is_blocked = False  # writing
        self._is_resuming = False
        self._is_half_closed = False
        self._is_last_written = False
        self.phase = Phase.HEAD  # a client that says nothing at all has as long as for a head
        self.waits_since = self.heard_at = self._now()
        self.deadline = self.heard_at + self._timeouts[Phase.HEAD]
        self.held_bytes = 0

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # it is TCP
        """Count the connection in."""
        self.transport = transport
        transport.set_write_buffer_limits(0)  # the transport says when anything is unread
        self.peer = self._clients.peer((transport.get_extra_info("peername") or ("",))[0])
        self._clients.add(self)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._buffer

    @_event
    def buffer_updated(self, count: int) -> None:
        """Take bytes that the client has sent."""
        self.heard_at = self._now()
        self._inbox.add(self._buffer[:count], is_busy=self._current is not None or self._is_blocked)
        if self._inbox.has_unparsed or count == READ_BYTES:  # others first
            self._is_paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more, but may still read: the connection stays open."""
        self._end_of_input()
        return True

    @_event
    def pause_writing(self) -> None:
        """Begin nothing more for a client that does not read."""
        self._is_blocked = True

    @_event
    def resume_writing(self) -> None:
        """Go on: the client has read everything."""
        self._is_blocked = False

    @_event
    def connection_lost(self, _error: Exception | None) -> None:
        """Forget all but a request that is being answered in the thread: it counts until that ends."""
        self.phase = Phase.CLOSED
        self._inbox.close()

    # --- what the server calls ---

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn."""
        return self.phase.waits_for_client

    def abort(self) -> None:
        """End at once; what is unsent is lost."""
        self.transport.abort()

    @_event
    def drop_request(self) -> None:
        """Make room for others: refuse the request that is arriving, or end a connection whose client does not read."""
        if self._inbox.stage is Stage.NOTHING:
            self.transport.abort()
        else:
            self._inbox.refuse(self._admission.refusal(self.peer))

    @_event
    def expire(self) -> None:
        """The deadline has passed."""
        if self.phase in {Phase.HEAD, Phase.BODY} and self._inbox.stage is not Stage.NOTHING:
            what = "body" if self.phase is Phase.BODY else "headers"
            self._inbox.refuse(RequestTimeoutError(f"the request's {what} did not arrive in time"))
        else:
            self.transport.abort()

    @_event
    def end_idle(self) -> None:
        """The service is shutting down: end unless a request has begun."""
        if self.waits_for_client and self._inbox.stage is Stage.NOTHING and not self._is_blocked:
            self._close()

    @_event
    def cut_off(self) -> None:
        """The service cannot wait any longer: refuse a request that is not whole."""
        if self._inbox.stage is not Stage.NOTHING:
            self._inbox.refuse(too_late())

    # --- answering ---

    @_event
    def _read_on(self) -> None:
        """Go on reading, after the answers to all that was parsed, and after the other connections."""
        self._is_resuming = False
        if self.phase is Phase.CLOSED or self._current is not None or self._is_blocked:
            return
        self._inbox.parse()
        if self._is_paused and not self._inbox.has_more and not self._is_half_closed:
            self._is_paused = False
            self.transport.resume_reading()

    @_event
    def _end_of_input(self) -> None:
        self._is_half_closed = True

    @_event
    def _answer(self) -> None:
        """Answer the current request; the loop has read what has arrived on other connections since it was counted."""
        exchange = self._current
        if exchange is None:
            return  # the connection was lost
        answer = self._cors.preflight(exchange.request) if self._cors is not None else None
        if answer is None and exchange.joins_others:
            self._shared.batch.add(exchange, self._finish_batched)
            return
        if answer is None:
            answer = exchange.answer()
        if answer is None:
            info = self.transport.get_extra_info
            exchange.start_task((info("sockname"), info("peername")), self._on_task_done)
        else:
            self._finish(exchange, answer, is_task=False)

    @_event
    def _on_task_done(self, _task: "asyncio.Task[Answer]") -> None:
        exchange = self._current
        if exchange is not None:
            self._finish(exchange, exchange.task_answer(), is_task=True)

    @_event
    def _finish_batched(self, exchange: Exchange, answer: Answer) -> None:
        if self._current is exchange:  # the connection was not lost
            self._finish(exchange, answer, is_task=False)

    def _finish(self, exchange: Exchange, answer: Answer, *, is_task: bool) -> None:
        """Write an answer, and count its request no longer."""
        if self.phase is not Phase.CLOSED and not self.transport.is_closing():
            self._write(exchange.request, answer)
        self._current = None
        exchange.end()
        exchange.record(answer, is_task=is_task)

    def _write(self, request: Request, answer: Answer) -> None:
        if self._cors is not None:
            answer = self._cors.share(request, answer)
        keep_alive = request.keep_alive and (self._inbox.has_more or not self._admission.draining)
        self.transport.write(self._writer.answer(answer, request, keep_alive=keep_alive))
        if not keep_alive:
            self._is_last_written = True
            self._inbox.close()
            self.transport.write_eof()

    # --- the state as a whole ---

    def _settle(self) -> None:
        """Bring everything in line with this connection's state."""
        if self.phase is Phase.CLOSED:
            self.deadline = math.inf
            self._count_bytes()
            if self._current is None or not self._current.is_running:
                self._release()
            return
        if self._current is None and not self._is_blocked:
            self._go_on()
        held_before = self.held_bytes
        self._count_bytes()
        self._set_phase()
        if self.held_bytes > held_before and self._admission.holds_too_much(self.peer):
            self._clients.make_room(self.peer)

    def _go_on(self) -> None:
        """Nothing is being answered: begin what is next."""
        inbox = self._inbox
        if self._is_half_closed and not inbox.has_more:
            if inbox.stage is Stage.NOTHING:
                self._close()
                return
            inbox.refuse(BadRequestError("the request ended early"))
        request = inbox.take()
        if request is not None:
            self._current = Exchange(self._shared.service, self._shared.app, self.peer, request)
            self._loop.call_soon(self._answer)
        elif (self._is_paused or inbox.has_unparsed) and not self._is_resuming:
            self._is_resuming = True
            self._loop.call_soon(self._read_on)

    def _count_bytes(self) -> None:
        held = self._inbox.held_bytes
        if self._current is not None:
            held += self._current.request.held_bytes
        if self._is_blocked and self.phase is not Phase.CLOSED:
            held += self.transport.get_write_buffer_size()
        if held <= FREE_BYTES:
            held = 0
        if held != self.held_bytes:
            self._admission.add_held_bytes(self.peer, held - self.held_bytes)
            self.held_bytes = held

    def _set_phase(self) -> None:
        if self._is_blocked:
            phase = Phase.UNREAD
        elif self._is_last_written:
            phase = Phase.LINGERING
        elif self._current is not None or self._inbox.has_more:
            phase = Phase.ANSWERING
        else:
            phase = READING[self._inbox.stage]
            if self._inbox.reader.expects_continue and phase is Phase.BODY:
                self._inbox.reader.expects_continue = False
                self.transport.write(CONTINUE)
        if phase is not self.phase:
            self.phase = phase
            self.waits_since = self._now()
            self.deadline = self.waits_since + self._timeouts.get(phase, math.inf)

    def _close(self) -> None:
        """End when everything written is sent."""
        self._is_last_written = True
        self._inbox.close()
        self.transport.close()

    def _release(self) -> None:
        """Count nothing of this connection any longer; safe to call more than once."""
        if self._current is not None:
            self._current.end()
            self._current = None
        self._admission.add_held_bytes(self.peer, -self.held_bytes)
        self.held_bytes = 0
        self._clients.remove(self)

    def _fail(self, error: Exception) -> None:
        """End the connection because of a fault of the service."""
        _log.error("connection failed", error=type(error).__name__, where=where(error))
        self.transport.abort()
        if self.phase is Phase.CLOSED and (self._current is None or not self._current.is_running):
            self._release()
