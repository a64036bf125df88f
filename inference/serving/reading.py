"""Reads requests from one client's connection, with limits on everything that the client decides.

uvicorn's protocol hands a request over when its headers are there, waits for ever, and answers malformed HTTP in plain
text. Here a request is read whole first, so a slow client costs a connection and nothing else; every wait has a
deadline, which `inference.serving.server.Server` watches; and every refusal is a problem document.
"""

import asyncio
import math
from abc import ABC, abstractmethod
from enum import Enum, auto
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, NoReturn

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from inference.errors import (
    BadRequestError,
    HeadersTooLargeError,
    NotReadyError,
    OverloadedError,
    RequestError,
    RequestTimeoutError,
)
from inference.serving.application import InferenceApp, encoded, header_bytes, too_large
from inference.serving.limits import BurstLog
from inference.serving.metrics import OTHER
from inference.serving.problems import JSON, Answer
from inference.serving.problems import answer as told
from inference.serving.protocol import BINARY_HEADER

_log = structlog.get_logger()
_bursts: Final = BurstLog()
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


class Reader(HttpToolsProtocol, ABC):
    """See the module. All times are the loop's, in seconds.

    Attributes:
        phase: What the connection waits for.
        deadline: Until when.
        began: When the current request's first byte came, by `perf_counter`; 0 before the first.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        service = config.loaded_app
        assert isinstance(service, InferenceApp)  # noqa: S101 - `inference.serving.server` made these
        assert isinstance(server_state, State)  # noqa: S101
        self.service: Final = service
        self.state: Final = server_state
        self.admission: Final = service.admission
        self.settings: Final = service.settings
        self.now: Final = self.loop.time
        self.phase = Phase.HEAD
        self.deadline = math.inf
        self.began = 0.0
        self.is_binary = False
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._refusal: RequestError | None = None

    # --- what becomes of requests ---

    @abstractmethod
    def on_request(self, body: bytes) -> None:
        """A whole request is there; its bytes are counted in `Admission.buffered_bytes`."""

    @abstractmethod
    def is_answering(self) -> bool:
        """Whether an earlier request's answer is not all written yet."""

    @abstractmethod
    def flush(self) -> None:
        """Answer now what waits for its turn, if that can be done at once."""

    @abstractmethod
    def end_after_answer(self) -> None:
        """Close when the answers that are due are written."""

    # --- what the transport says ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request, but not for ever; at the limit, let the most silent client go."""
        super().connection_made(transport)
        self.deadline = self.now() + self.settings.header_timeout_seconds
        if len(self.connections) > self.settings.max_connections:
            quietest = min(self.connections, key=lambda each: each.patience())  # type: ignore[union-attr]
            (quietest if quietest.patience() < math.inf else self).end()  # type: ignore[union-attr]

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what the connection held."""
        self._drop_body()
        self.deadline = math.inf
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what cannot be parsed or is too much."""
        if self.phase is Phase.END:
            return
        if self.phase is not Phase.BODY:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as found:
            self._ignore_upgrade(data[found.args[0] :])
        except httptools.HttpParserError:
            self.refuse(self._refusal or BadRequestError("the request is not well-formed HTTP/1.1"))
        else:
            if self.phase is Phase.HEAD and self._head_bytes > self.settings.max_header_bytes:
                self.refuse(self._headers_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that has said all it had to say, before the connection ends."""
        if self.is_reading():
            self.refuse(BadRequestError("the request ended early"))
            self.transport.close()
        elif self.phase is Phase.ANSWER:
            self.end_after_answer()
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
        self.flush()  # a client that did not wait for its last answer gets that one first
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.is_binary = False
        self.began = perf_counter()
        if self.phase is not Phase.HEAD:
            self.phase = Phase.HEAD
            self.deadline = self.now() + self.settings.header_timeout_seconds

    def on_headers_complete(self) -> None:
        """Refuse what need not be read further."""
        if self._head_bytes > self.settings.max_header_bytes:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.settings.max_header_bytes:
                self.refuse_in_parser(self._headers_too_large())
        for name, value in self.headers:
            if name in _WATCHED:
                self._watch(name, value)
        if self.parser.should_upgrade():
            return
        self.phase = Phase.BODY
        self.deadline = self.now() + self.settings.body_timeout_seconds
        if self.expect_100_continue and not self.is_answering():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Hold a piece of a body, if there is room."""
        self._body.append(body)
        self._body_bytes += len(body)
        self.admission.buffered_bytes += len(body)
        if self._body_bytes > self.settings.max_body_bytes:
            self.refuse_in_parser(too_large(self.settings))
        if self.admission.buffered_bytes > self.settings.max_buffered_bytes:
            self.refuse_in_parser(self.shed())

    def on_message_complete(self) -> None:
        """Hand a whole request over."""
        if self.parser.should_upgrade():
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        self._body_bytes = self._head_bytes = 0
        self.phase = Phase.ANSWER
        if not self.flow.write_paused:  # else the client still has to read what it was told before
            self.deadline = math.inf
        self.on_request(body)

    # --- ways to end ---

    def refuse(self, error: RequestError) -> None:
        """Say what is wrong, read no further, and end the connection when the client has had time to read it."""
        self._drop_body()
        self.flush()
        self.phase = Phase.END
        if self.is_answering():  # a pipelined request: the answers before it go out, this one gets none
            if not self.flow.write_paused:
                self.deadline = math.inf
            self.end_after_answer()
            return
        self.deadline = self.now() + _LINGER_SECONDS
        if self.transport.is_closing():
            return
        answer = told(error, self.path())
        if not isinstance(error, OverloadedError | NotReadyError):  # what is shed is counted where it is shed
            self.service.record(OTHER, answer.status, perf_counter() - (self.began or perf_counter()))
        self.write(answer, keep_alive=False, linger=True)

    def expire(self) -> None:
        """The deadline has passed."""
        if self.transport.is_closing():
            self.transport.abort()
        elif self.is_reading():
            what = "body" if self.phase is Phase.BODY else "headers"
            self.refuse(RequestTimeoutError(f"the request's {what} did not come in time"))
        else:
            self.end()

    def shutdown(self) -> None:
        """End when what has begun is answered; called once, when the service drains."""
        if self.phase is Phase.IDLE or (self.phase is Phase.HEAD and not self.began):
            self.end()
        else:
            self.end_after_answer()

    def cut(self) -> None:
        """End now: the service cannot wait any longer."""
        if self.is_reading():
            self.refuse(self.shed())
        self.end()

    def end(self) -> None:
        """Close; what is written still goes out, in good time."""
        self.deadline = self.now() + _LINGER_SECONDS
        self.transport.close()

    # --- helpers ---

    def is_reading(self) -> bool:
        """Whether a request has begun and is not whole yet."""
        return self.phase is Phase.BODY or (self.phase is Phase.HEAD and self.began > 0)

    def patience(self) -> float:
        """Until when the client may be silent; infinite while it waits for the service, or leaves."""
        return math.inf if self.transport.is_closing() else self.deadline

    def shed(self) -> RequestError:
        """Count a request as shed, log a burst, give back what its client is told."""
        reason, error = self.admission.refusal()
        endpoint = self.service.endpoints_by_target.get(self.url)
        self.service.metrics.add_shed(endpoint.route if endpoint else OTHER, reason)
        if count := _bursts.add():
            in_flight, limit = self.admission.in_flight, self.admission.max_in_flight
            _log.warning("requests shed", reason=reason, count=count, in_flight=in_flight, limit=limit)
        return error

    def path(self) -> str:
        """The request's path as it was sent."""
        return self.url.partition(b"?")[0].decode("latin-1")

    def write(self, answer: Answer, *, keep_alive: bool, linger: bool = False) -> None:
        """Send a whole answer, and close unless the connection is kept; `linger` leaves the client time to read it."""
        if self.transport.is_closing():
            return
        if keep_alive and answer.status == HTTPStatus.OK:
            self.transport.write(b"%b%d\r\n\r\n%b" % (self.state.ok_head, len(answer.body), answer.body))
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

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 with a client that asked for another protocol (as Java's own asks for HTTP/2).

        The parser takes the body for the other protocol: a fresh one gets the same request without the question.
        """
        method, headers, self._head_bytes = self.parser.get_method(), self.headers, 0
        if method == b"CONNECT":
            self.refuse(BadRequestError("this is no proxy: CONNECT is not supported"))
            return
        lines = [b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self.url, b"".join(lines), rest))

    def _watch(self, name: bytes, value: bytes) -> None:
        """Look at one of the headers that decide how a body is read, or whether."""
        if name == b"content-length":
            if int(value) > self.settings.max_body_bytes:
                self.refuse_in_parser(too_large(self.settings))
        elif name == BINARY_HEADER:
            self.is_binary = True
        elif value.lower() != b"identity":
            self.refuse_in_parser(encoded(value))

    def refuse_in_parser(self, error: RequestError) -> NoReturn:
        """Refuse a request from within a callback of the parser."""
        self._refusal = error
        raise _Refused

    def _headers_too_large(self) -> RequestError:
        return HeadersTooLargeError(f"line and headers have at most {self.settings.max_header_bytes} bytes")

    def _drop_body(self) -> None:
        self.admission.buffered_bytes -= self._body_bytes
        self._body, self._body_bytes = [], 0
