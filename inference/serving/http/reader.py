"""Turns bytes into requests, within limits. It has no socket, no clock and no answers.

httptools (llhttp) parses; the reader decides what is too much. A request is handed over when it is whole.
"""

from collections.abc import Callable
from enum import Enum, auto
from time import perf_counter
from typing import Final, NoReturn

import httptools

from inference.errors import BadRequestError, HeadersTooLargeError, RequestError
from inference.serving import problems
from inference.serving.protocol import BINARY_HEADER
from inference.settings import Settings

MAX_HEADER_FIELDS: Final = 100
"""Header fields of one request, trailers included; above: 431."""
FIELD_OVERHEAD_BYTES: Final = 200
"""What one header field costs in memory beside its own bytes."""
_CHUNK_OVERHEAD_BYTES: Final = 16
"""Framing that each chunk may have before its bytes count as header bytes: its size, and two line ends."""
_CHECKED: Final = frozenset(
    {b"host", b"content-length", b"content-encoding", b"transfer-encoding", b"expect", BINARY_HEADER}
)
_VERSIONS: Final = ("1.0", "1.1")


class Stage(Enum):
    """How much of the next request has arrived."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class Request:
    """A request, or the part of one that has arrived.

    Attributes:
        method: In upper case.
        target: The request target as it was sent.
        headers: Names in lower case, and values; without trailers.
        body: Content, without its framing; empty until it is whole.
        keep_alive: Whether the client can send another request on this connection.
        is_http10: Whether the client speaks HTTP/1.0.
        is_binary: Whether part of the body is not JSON (the protocol's binary tensors).
        began: When its first byte arrived, by `perf_counter`.
        held_bytes: Memory that it is charged for.
        refusal: Why it is not served, if it is not.
    """

    __slots__ = (
        "began", "body", "head_bytes", "headers", "is_binary", "is_http10", "keep_alive", "method", "refusal", "target",
    )  # fmt: skip

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.keep_alive = False
        self.is_http10 = False
        self.is_binary = False
        self.began = perf_counter()
        self.head_bytes = 0
        self.refusal: RequestError | None = None

    @property
    def is_plain(self) -> bool:
        """Whether its answer has a body, and no header about the connection while that stays open."""
        return not self.is_http10 and self.method != b"HEAD"

    @property
    def held_bytes(self) -> int:
        """See the class."""
        return self.head_bytes + len(self.headers) * FIELD_OVERHEAD_BYTES + len(self.body)


class _Refused(Exception):  # noqa: N818 - not an error, but the way out of the parser
    """Ends the parsing of a request that is refused."""


class RequestReader:
    """Reads the requests of one connection, one after the other.

    Args:
        settings: The limits.
        on_request: Called with each whole request.

    Attributes:
        stage: How much of the next request has arrived.
        request: That part of it; after a refusal, the request that was refused.
        expects_continue: Whether the client waits for `100 Continue` before it sends the body.
        is_done: Whether no further request can come on this connection.
    """

    def __init__(self, settings: Settings, on_request: Callable[[Request], None]) -> None:
        self._settings: Final = settings
        self._on_request: Final = on_request
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._refusal: RequestError | None = None
        self._body: bytes | bytearray = b""
        self._wire_bytes = 0  # of this request, without the part that the first call of `feed` had
        self._chunks = 0
        self._fields = 0
        self.stage = Stage.NOTHING
        self.request = Request()
        self.expects_continue = False
        self.is_done = False

    @property
    def held_bytes(self) -> int:
        """Memory that the part of the next request is charged for."""
        if self.stage is Stage.NOTHING:
            return 0
        if self.stage is Stage.HEAD:
            return max(self.request.held_bytes, self._wire_bytes)
        return self.request.held_bytes + len(self._body)

    def feed(self, data: memoryview | bytes) -> None:
        """Read the next bytes; what follows the connection's last request is ignored.

        Raises:
            RequestError: The request is malformed or too large. No further request can be read.
        """
        if self.is_done:
            return
        request = self.request
        pieces = [data]
        while pieces:
            piece = pieces.pop()
            try:
                self._parser.feed_data(piece)  # type: ignore[union-attr] # there is one until `close`
            except httptools.HttpParserUpgrade as found:
                if len(piece) > found.args[0]:
                    pieces.append(piece[found.args[0] :])
                pieces.append(self._without_upgrade())
            except httptools.HttpParserError as error:
                self._fail(error)
                return
        if self.stage is not Stage.NOTHING and self.request is request:
            self._wire_bytes += len(data)
            if self._framing_bytes() > self._settings.max_header_bytes:
                self.is_done = True
                raise self._headers_too_large()

    def close(self) -> None:
        """Read no further, and forget what has arrived."""
        self.is_done = True
        self.stage = Stage.NOTHING
        self._body = b""
        self._parser = None  # it refers to this object

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """Start a request."""
        self.request = Request()
        self.stage = Stage.HEAD
        self.expects_continue = False
        self._body = b""
        self._wire_bytes = self._chunks = self._fields = 0

    def on_url(self, part: bytes) -> None:
        """Add to the target."""
        self.request.target += part
        self.request.head_bytes += len(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field; drop a trailer, which counts all the same."""
        request = self.request
        self._fields += 1
        request.head_bytes += len(name) + len(value) + 4
        if request.head_bytes > self._settings.max_header_bytes or self._fields > MAX_HEADER_FIELDS:
            self._refuse(self._headers_too_large())
        if self.stage is Stage.HEAD:
            request.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Refuse at once what need not be read further."""
        request, parser = self.request, self._parser
        assert parser is not None  # noqa: S101 - it is what calls
        version = parser.get_http_version()
        if request.head_bytes > self._settings.max_header_bytes:
            self._refuse(self._headers_too_large())
        request.method = parser.get_method()
        request.is_http10 = version == "1.0"
        if version not in _VERSIONS:
            self._refuse(BadRequestError(f"HTTP/{version} is not supported; use HTTP/1.1"))
        if request.method == b"CONNECT":
            self._refuse(BadRequestError("CONNECT is not supported: this server is not a proxy"))
        hosts = 0
        for name, value in request.headers:
            if name in _CHECKED:
                hosts += name == b"host"
                self._check(request, name, value)
        if hosts > 1 or (not hosts and not request.is_http10):
            self._refuse(BadRequestError("the request must have exactly one Host header"))
        if not parser.should_upgrade():
            self.stage = Stage.BODY

    def on_chunk_header(self) -> None:
        """Count a chunk."""
        self._chunks += 1

    def on_body(self, part: bytes) -> None:
        """Add to the body."""
        if not self._body:
            self._body = part
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += part
        if len(self._body) > self._settings.max_body_bytes:
            self._refuse(problems.too_large(self._settings))

    def on_message_complete(self) -> None:
        """Hand the request over."""
        parser, request = self._parser, self.request
        assert parser is not None  # noqa: S101 - it is what calls
        if parser.should_upgrade():
            return  # `feed` reads it again, without the upgrade
        request.keep_alive = parser.should_keep_alive()
        request.body = bytes(self._body)
        self._body = b""
        self.stage = Stage.NOTHING
        self.is_done = not request.keep_alive
        self._on_request(request)

    # --- helpers ---

    def _check(self, request: Request, name: bytes, value: bytes) -> None:
        """Look at a header field that decides whether and how the body is read."""
        if name == b"content-length":
            if int(value) > self._settings.max_body_bytes:
                self._refuse(problems.too_large(self._settings))
        elif name == b"content-encoding":
            if value.lower() != b"identity":
                self._refuse(problems.encoded(value))
        elif name == b"expect":
            self.expects_continue = value.lower() == b"100-continue" and not request.is_http10
        elif name == BINARY_HEADER:
            request.is_binary = True
        elif name == b"transfer-encoding" and request.is_http10:
            self._refuse(BadRequestError("HTTP/1.0 has no Transfer-Encoding; send Content-Length"))

    def _framing_bytes(self) -> int:
        """Bytes of the request that are not content: its head, chunk extensions, trailers."""
        return self._wire_bytes - len(self._body) - self._chunks * _CHUNK_OVERHEAD_BYTES

    def _without_upgrade(self) -> bytes:
        """The request's head again, without the protocol that the client would rather speak.

        The parser takes all that follows an upgrade for the other protocol, and the service speaks none: a fresh parser
        gets the same request without the header `Upgrade`, which RFC 9110 (7.8) lets a server ignore.
        """
        request = self.request
        self._parser = httptools.HttpRequestParser(self)
        lines = [b"%b: %b\r\n" % field for field in request.headers if field[0] != b"upgrade"]
        version = b"1.0" if request.is_http10 else b"1.1"
        return b"%b %b HTTP/%b\r\n%b\r\n" % (request.method, request.target, version, b"".join(lines))

    def _refuse(self, error: RequestError) -> NoReturn:
        self._refusal = error
        raise _Refused

    def _fail(self, error: httptools.HttpParserError) -> None:
        """Raise what the parser's error means; after the connection's last request it means nothing."""
        is_done, self.is_done = self.is_done, True
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and cause and not isinstance(cause, _Refused):
            raise cause  # a fault of our own, which must not look like the client's
        if is_done:
            self.stage = Stage.NOTHING
            return
        raise self._refusal or BadRequestError("the request is not well-formed HTTP/1.1")

    def _headers_too_large(self) -> RequestError:
        return HeadersTooLargeError(
            f"request line, headers and trailers have at most {self._settings.max_header_bytes} bytes"
            f" and {MAX_HEADER_FIELDS} fields; send fewer or shorter headers"
        )
