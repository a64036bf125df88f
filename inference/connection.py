"""One client's connection: uvicorn's HTTP protocol with limits on everything that a client decides.

A request is read whole before anything runs for it, so a slow client costs a connection and nothing else. Then it is
counted in, or refused at once. Short requests to the routes that predict are answered right here, after all that the
loop has just read is read; everything else goes the way of ASGI. Every wait has a deadline, which `Server` watches.
"""

import asyncio
import math
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, NamedTuple

import httptools
import structlog
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from inference.app import BEGAN, InferenceApp, encoded, failed, header_bytes, send_answer, too_large
from inference.endpoints import Endpoint
from inference.errors import (
    BadRequestError,
    HeadersTooLargeError,
    NotReadyError,
    OverloadedError,
    RequestError,
    RequestTimeoutError,
)
from inference.limits import EXEMPT, BurstLog
from inference.metrics import OTHER, QUEUE
from inference.problems import JSON, Answer
from inference.problems import answer as told
from inference.protocol import BINARY_HEADER

_log = structlog.get_logger()
_bursts: Final = BurstLog()
_EXEMPT: Final = frozenset(path.encode() for path in EXEMPT)
_WATCHED: Final = frozenset({b"content-length", b"content-encoding", BINARY_HEADER})
_LINGER_SECONDS: Final = 2.0
"""How long a refused client may go on sending before it is cut off."""


class State(ServerState):
    """What all connections share.

    Attributes:
        ok_head: Head of an answer with status 200, up to its length; all but that is the same for a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.write_ok_head()

    def write_ok_head(self) -> None:
        """Take the default headers over, the date among them."""
        headers = [*self.default_headers, (b"content-type", JSON.encode())]
        self.ok_head = STATUS_LINE[200] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"content-length: "


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    END = auto()


class _Refused(Exception):  # noqa: N818 - no error, but the way out of the parser
    """Ends the parsing of a request that is refused."""


class _Pending(NamedTuple):
    """A request that is read and counted in, and is answered in its turn."""

    endpoint: Endpoint
    body: bytes
    path: str
    began: float
    received: float
    keep_alive: bool


class _Turn(NamedTuple):
    """An ASGI application whose turn will come, and the bytes to give back then; None: the request was not counted."""

    app: Any
    body_bytes: int | None


class Connection(HttpToolsProtocol):
    """See the module. All times are the loop's, in seconds."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        service = config.loaded_app
        assert isinstance(service, InferenceApp)  # noqa: S101 - `inference.server` made these
        assert isinstance(server_state, State)  # noqa: S101
        self.service: Final = service
        self.state: Final = server_state
        self.admission: Final = service.admission
        self.settings: Final = service.settings
        self.now: Final = self.loop.time
        self.queue_seconds: Final = service.metrics.phases[QUEUE]
        self.phase = Phase.HEAD
        self.deadline = math.inf
        self.began = 0.0
        self.head_bytes = 0
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.is_binary = False
        self.refusal: RequestError | None = None
        self.pending: _Pending | None = None

    # --- what the transport says ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request, but not for ever."""
        super().connection_made(transport)
        if len(self.connections) > self.settings.max_connections:
            min(self.connections, key=lambda each: each.silent_since()).transport.close()  # type: ignore[union-attr]
        self.deadline = self.now() + self.settings.header_timeout_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what the connection held."""
        if self.pending is not None:
            self._release(len(self.pending.body))
            self.pending = None
        self._drop_body()
        for _, turn in self.pipeline:
            self._finished(turn)  # type: ignore[arg-type]
        self.pipeline.clear()
        self.deadline = math.inf
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what cannot be parsed or is too much."""
        if self.phase is Phase.END:
            return
        if self.phase is not Phase.BODY:
            self.head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as found:
            self._ignore_upgrade(data[found.args[0] :])
        except httptools.HttpParserError:
            self.refuse(self.refusal or BadRequestError("the request is not well-formed HTTP/1.1"))
        else:
            if self.phase is Phase.HEAD and self.head_bytes > self.settings.max_header_bytes:
                self.refuse(self._headers_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that has said all it had to say, before the connection ends."""
        if self.phase is Phase.BODY or (self.phase is Phase.HEAD and self.began):
            self.refuse(BadRequestError("the request ended early"))
            self.transport.close()
        elif self.phase is Phase.ANSWER:
            self._end_after_answer()
            return True
        return False

    def pause_writing(self) -> None:
        """Wait for a client to read its answers, but not for ever."""
        super().pause_writing()
        self.deadline = self.now() + self.settings.body_timeout_seconds

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self.deadline = math.inf if self.phase is Phase.ANSWER else self.now() + self.settings.keep_alive_seconds

    # --- what the parser says ---

    def on_message_begin(self) -> None:
        """A request's first byte."""
        if self.pending is not None:  # the client did not wait for its last answer: that one comes first
            self.answer_pending()
        self.url = b""
        self.headers = []
        self.body = []
        self.expect_100_continue = False
        self.is_binary = False
        self.began = perf_counter()
        if self.phase is not Phase.HEAD:
            self.phase = Phase.HEAD
            self.deadline = self.now() + self.settings.header_timeout_seconds

    def on_headers_complete(self) -> None:
        """Refuse what need not be read further."""
        if self.head_bytes > self.settings.max_header_bytes:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.settings.max_header_bytes:
                self._refuse_in_parser(self._headers_too_large())
        for name, value in self.headers:
            if name in _WATCHED:
                self._watch(name, value)
        if self.parser.should_upgrade():
            return
        self.phase = Phase.BODY
        self.deadline = self.now() + self.settings.body_timeout_seconds
        if self.expect_100_continue and not self._is_answering():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Hold a piece of a body, if there is room."""
        self.body.append(body)
        self.body_bytes += len(body)
        self.admission.buffered_bytes += len(body)
        if self.body_bytes > self.settings.max_body_bytes:
            self._refuse_in_parser(too_large(self.settings))
        if self.admission.buffered_bytes > self.settings.max_buffered_bytes:
            self._refuse_in_parser(self._shed())

    def on_message_complete(self) -> None:
        """Count a whole request in and answer it in its turn, or refuse it."""
        if self.parser.should_upgrade():
            return
        body = self.body[0] if len(self.body) == 1 else b"".join(self.body)
        self.body, self.body_bytes, self.head_bytes = [], 0, 0
        self.phase = Phase.ANSWER
        self.deadline = math.inf
        answering = self._is_answering()
        if self.admission.in_flight >= self.admission.max_in_flight and self.url not in _EXEMPT:
            self.admission.buffered_bytes -= len(body)
            self._refuse_in_turn(self._shed())
            return
        self.admission.in_flight += 1
        endpoint = self.service.endpoints_by_target.get(self.url) if not answering else None
        if (
            endpoint is None
            or self.is_binary
            or len(body) > self.settings.offload_characters
            or self.flow.write_paused
            or self.parser.get_method() != b"POST"
        ):
            try:
                self._start_cycle(body, _Turn(self.service, len(body)))
            except BaseException:  # a target that cannot be parsed: the request is malformed after all
                self._release(len(body))
                raise
            return
        keep_alive = self.parser.should_keep_alive() and not self.admission.draining
        self.pending = _Pending(endpoint, body, self._path(), self.began, perf_counter(), keep_alive)
        self.loop.call_soon(self.answer_pending)

    # --- answers ---

    def answer_pending(self) -> None:
        """Answer the request whose turn it is."""
        pending = self.pending
        if pending is None:  # answered already, since another one came behind it
            return
        self.pending = None
        started = perf_counter()
        self.queue_seconds.add(started - pending.received)
        try:
            answer = Answer(200, JSON, pending.endpoint.answer(pending.body))
        except Exception as error:  # noqa: BLE001 - nothing that a client sends may end in a stack trace
            answer = failed(error, pending.path)
        self._release(len(pending.body))
        self.phase = Phase.IDLE
        self.deadline = self.now() + self.settings.keep_alive_seconds
        self._write(answer, keep_alive=pending.keep_alive)
        self.server_state.total_requests += 1
        self.service.record(pending.endpoint.route, answer.status, perf_counter() - pending.began)

    def refuse(self, error: RequestError) -> None:
        """Say what is wrong, read no further, and end the connection when the client has had time to read it."""
        self._drop_body()
        if self.pending is not None:
            self.answer_pending()
        self.phase = Phase.END
        self.deadline = self.now() + _LINGER_SECONDS
        if self._is_answering():  # a pipelined request: the answers before it go out, this one gets none
            self.cycle.keep_alive = False
            return
        if self.transport.is_closing():
            return
        answer = told(error, self._path())
        if not isinstance(error, OverloadedError | NotReadyError):  # what is shed is counted where it is shed
            self.service.record(OTHER, answer.status, perf_counter() - (self.began or perf_counter()))
        self._write(answer, keep_alive=False, linger=True)

    def expire(self) -> None:
        """The deadline has passed."""
        if self.transport.is_closing():
            self.transport.abort()
        elif self.phase is Phase.BODY or (self.phase is Phase.HEAD and self.began):
            what = "body" if self.phase is Phase.BODY else "headers"
            self.refuse(RequestTimeoutError(f"the request's {what} did not come in time"))
        else:
            self.deadline = self.now() + _LINGER_SECONDS
            self.transport.close()

    def shutdown(self) -> None:
        """End when what has begun is answered; called once, when the service drains."""
        if self.phase is Phase.IDLE or (self.phase is Phase.HEAD and not self.began):
            self.transport.close()
        else:
            self._end_after_answer()

    def cut(self) -> None:
        """End now: the service cannot wait any longer."""
        if self.phase in {Phase.HEAD, Phase.BODY}:
            self.refuse(self._shed())
        self.transport.close()

    def silent_since(self) -> float:
        """When the client was last heard, roughly; infinite while it waits for the service."""
        return math.inf if self.phase is Phase.ANSWER else self.deadline

    # --- helpers ---

    def on_response_complete(self) -> None:
        """Go on with the next request of this connection."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self.deadline = self.now() + _LINGER_SECONDS
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.phase is Phase.ANSWER:
            self.phase = Phase.IDLE
            self.deadline = self.now() + self.settings.keep_alive_seconds

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 with a client that asked for another protocol (as Java's own asks for HTTP/2).

        The parser takes the body for the other protocol: a fresh one gets the same request without the question.
        """
        method, headers, self.head_bytes = self.parser.get_method(), self.headers, 0
        if method == b"CONNECT":
            self.refuse(BadRequestError("this is no proxy: CONNECT is not supported"))
            return
        lines = [b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self.url, b"".join(lines), rest))

    def _start_cycle(self, body: bytes, turn: _Turn) -> None:
        """Hand a whole request to an ASGI application, in its turn."""
        headers, url = self.headers, self.url
        self.app = turn
        super().on_message_begin()  # makes the scope, and forgets what it will be made of
        self.headers.extend(headers)
        self.url = url
        self.scope[BEGAN] = self.began  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()
        if body:
            super().on_body(body)
        super().on_message_complete()
        if self.admission.draining:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        turn: _Turn = app
        task = self.loop.create_task(cycle.run_asgi(turn.app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(partial(self._finished, turn))

    def _finished(self, turn: _Turn, _task: "asyncio.Task[None] | None" = None) -> None:
        if turn.body_bytes is not None:
            self._release(turn.body_bytes)

    def _release(self, body_bytes: int) -> None:
        self.admission.in_flight -= 1
        self.admission.buffered_bytes -= body_bytes

    def _drop_body(self) -> None:
        self.admission.buffered_bytes -= self.body_bytes
        self.body, self.body_bytes = [], 0

    def _is_answering(self) -> bool:
        """Whether an ASGI application has not finished with an earlier request of this connection."""
        return self.cycle is not None and not self.cycle.response_complete

    def _end_after_answer(self) -> None:
        if self.pending is not None:
            self.pending = self.pending._replace(keep_alive=False)
        if self._is_answering():
            self.cycle.keep_alive = False

    def _watch(self, name: bytes, value: bytes) -> None:
        """Look at one of the headers that decide how a body is read, or whether."""
        if name == b"content-length":
            if int(value) > self.settings.max_body_bytes:
                self._refuse_in_parser(too_large(self.settings))
        elif name == BINARY_HEADER:
            self.is_binary = True
        elif value.lower() != b"identity":
            self._refuse_in_parser(encoded(value))

    def _refuse_in_parser(self, error: RequestError) -> None:
        self.refusal = error
        raise _Refused

    def _refuse_in_turn(self, error: RequestError) -> None:
        """Answer a whole request with `error`, and keep the connection."""
        answer = told(error, self._path())
        if self._is_answering():
            self._start_cycle(b"", _Turn(partial(_refuse, answer), None))
            return
        self.phase = Phase.IDLE
        self.deadline = self.now() + self.settings.keep_alive_seconds
        self._write(answer, keep_alive=self.parser.should_keep_alive() and not self.admission.draining)

    def _shed(self) -> RequestError:
        """Count a request as shed, log a burst, give back what its client is told."""
        reason, error = self.admission.refusal()
        endpoint = self.service.endpoints_by_target.get(self.url)
        self.service.metrics.add_shed(endpoint.route if endpoint else OTHER, reason)
        count = _bursts.add()
        if count:
            _log.warning(
                "requests shed", reason=reason, count=count, in_flight=self.admission.in_flight,
                limit=self.admission.max_in_flight,
            )  # fmt: skip
        return error

    def _headers_too_large(self) -> RequestError:
        return HeadersTooLargeError(f"line and headers have at most {self.settings.max_header_bytes} bytes")

    def _path(self) -> str:
        return self.url.partition(b"?")[0].decode("latin-1")

    def _write(self, answer: Answer, *, keep_alive: bool, linger: bool = False) -> None:
        """Send a whole answer."""
        if self.transport.is_closing():
            return
        if keep_alive and answer.status == HTTPStatus.OK:
            self.transport.write(b"".join((self.state.ok_head, b"%d" % len(answer.body), b"\r\n\r\n", answer.body)))
            return
        headers = [*self.server_state.default_headers, *header_bytes(answer)]
        if not keep_alive:
            headers.append((b"connection", b"close"))
        lines = [STATUS_LINE[answer.status], *(b"%b: %b\r\n" % header for header in headers), b"\r\n", answer.body]
        self.transport.write(b"".join(lines))
        if linger:  # closed for good while the client still sends, the answer might be lost on its way
            self.transport.write_eof()
        elif not keep_alive:
            self.transport.close()


async def _refuse(answer: Answer, _scope: Scope, _receive: Receive, send: Send) -> None:
    await send_answer(answer, send)
