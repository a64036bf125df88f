"""Turns bytes into requests, within limits. It has no socket, no clock and no answers.

httptools (llhttp) parses; the reader decides what is too much. A request is handed over when it is whole.
"""

import string
from collections.abc import Callable
from typing import Final, NoReturn

import httptools

from inference.errors import BadRequestError, HeadersTooLargeError, RequestError
from inference.serving import compression, problems
from inference.serving.http.request import Request, Stage
from inference.serving.protocol.binary import HEADER as BINARY_HEADER
from inference.settings import Settings

MAX_HEADER_FIELDS: Final = 100
"""Header fields of one request, trailers included; above: 431."""
FIELD_OVERHEAD_BYTES: Final = 200
"""What one header field costs in memory beside its own bytes."""
_CHUNK_OVERHEAD_BYTES: Final = 16
"""Framing that each chunk may have before its bytes count as header bytes: its size, and two line ends."""
_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE"})
"""The parser knows more, of other protocols too (RTSP, ICE)."""
_HOST_CHARACTERS: Final = string.ascii_letters.encode() + string.digits.encode() + b"-._~%!$&'()*+,;=:[]"
_CHECKED: Final = frozenset({b"content-length", b"content-encoding", b"transfer-encoding", b"expect", BINARY_HEADER})


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
        self._headers: list[tuple[bytes, bytes]] = []
        self._piece_bytes = 0  # of the bytes that are being parsed
        self._wire_bytes = 0  # of this request, without the part that the first call of `feed` had
        self._chunks = 0
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
            return self._wire_bytes + len(self._headers) * FIELD_OVERHEAD_BYTES
        return self.request.head_bytes + len(self.request.headers) * FIELD_OVERHEAD_BYTES + len(self._body)

    def feed(self, data: memoryview | bytes) -> None:
        """Read the next bytes; what follows the connection's last request is ignored.

        Raises:
            RequestError: The request is malformed or too large. No further request can be read.
        """
        if self.is_done:
            return
        request = self.request
        self._piece_bytes = len(data)
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr] # there is one until `close`
        except httptools.HttpParserUpgrade as found:
            self._feed_without_upgrade(data[found.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(error)
        if self.stage is not Stage.NOTHING:
            self._check_framing(len(data), is_new=self.request is not request)

    def close(self) -> None:
        """Read no further, and forget what has arrived."""
        self.is_done = True
        self.stage = Stage.NOTHING
        self._body = b""
        self._parser = None  # it refers to this object

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """Start a request."""
        self.request = request = Request()
        self._headers = request.headers
        self.stage = Stage.HEAD
        self._wire_bytes = 0

    def on_url(self, part: bytes) -> None:
        """Add to the target."""
        self.request.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field; trailers go where nobody looks."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Refuse at once what need not be read further."""
        request, parser, headers = self.request, self._parser, self._headers
        assert parser is not None  # noqa: S101 - it is what calls
        request.method = method = parser.get_method()
        if method not in _METHODS:
            self._refuse(BadRequestError(f"method {method.decode('latin-1')} is not supported"))
        request.head_bytes = self._wire_bytes + self._piece_bytes  # at most
        if request.head_bytes > self._settings.max_header_bytes or len(headers) > MAX_HEADER_FIELDS:
            self._check_head(request)
        hosts = 0
        for name, value in headers:
            if name == b"host":
                hosts += 2 if value.translate(None, _HOST_CHARACTERS) else 1
            elif name in _CHECKED:
                self._check(request, name, value)
        version = parser.get_http_version()
        if version != "1.1":
            self._check_version(request, version)
        if hosts > 1 or (not hosts and not request.is_http10):
            self._refuse(
                BadRequestError("the request must have exactly one Host header, with a host and perhaps a port")
            )
        if not parser.should_upgrade():
            self.stage = Stage.BODY
            self._headers = []
            self._body = b""
            self._chunks = 0

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
        if len(self._headers) > MAX_HEADER_FIELDS:
            self._refuse(self._headers_too_large())  # trailers
        request.keep_alive = parser.should_keep_alive()
        request.body = body = bytes(self._body)
        self._body = b""
        request.held_bytes = request.head_bytes + len(request.headers) * FIELD_OVERHEAD_BYTES + len(body)
        if request.is_compressed:
            request.held_bytes += compression.content_bytes(body, self._settings)
        self.stage = Stage.NOTHING
        self.expects_continue = False
        if not request.keep_alive:
            self.is_done = True
        self._on_request(request)

    # --- helpers ---

    def _check(self, request: Request, name: bytes, value: bytes) -> None:
        """Look at a header field that decides whether and how the body is read."""
        if name == b"content-length":
            if int(value) > self._settings.max_body_bytes:
                self._refuse(problems.too_large(self._settings))
        elif name == b"content-encoding":
            self._check_encoding(request, value)
        elif name == b"expect":
            self.expects_continue = value.lower() == b"100-continue"
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                self._refuse(BadRequestError("the only Transfer-Encoding that is supported is chunked"))
        elif name == BINARY_HEADER:
            request.is_binary = True

    def _check_encoding(self, request: Request, value: bytes) -> None:
        try:
            is_gzip = compression.is_gzip(value, is_compressed=request.is_compressed)
        except RequestError as error:
            self._refuse(error)
        if is_gzip:
            request.is_compressed = request.is_binary = True

    def _check_version(self, request: Request, version: str) -> None:
        if version != "1.0":
            self._refuse(BadRequestError(f"HTTP/{version} is not supported; use HTTP/1.1"))
        request.is_http10 = True
        self.expects_continue = False
        if any(name == b"transfer-encoding" for name, _ in request.headers):
            self._refuse(BadRequestError("HTTP/1.0 has no Transfer-Encoding; send Content-Length"))

    def _check_head(self, request: Request) -> None:
        """Count the head exactly."""
        request.head_bytes = len(request.target) + sum(len(name) + len(value) + 4 for name, value in self._headers)
        if request.head_bytes > self._settings.max_header_bytes or len(self._headers) > MAX_HEADER_FIELDS:
            self._refuse(self._headers_too_large())

    def _check_framing(self, size: int, *, is_new: bool) -> None:
        """Limit what arrives without being content: a head that does not end, chunk extensions, trailers."""
        if not is_new:
            self._wire_bytes += size
        content = 0 if self.stage is Stage.HEAD else len(self._body) + self._chunks * _CHUNK_OVERHEAD_BYTES
        if self._wire_bytes - content > self._settings.max_header_bytes or len(self._headers) > MAX_HEADER_FIELDS:
            self.is_done = True
            raise self._headers_too_large()

    def _feed_without_upgrade(self, rest: memoryview | bytes) -> None:
        """Read the request again, without the protocol that the client would rather speak, and then `rest`.

        The parser takes all that follows an upgrade for the other protocol, and the service speaks none: a fresh parser
        gets the same request without the header `Upgrade`, which RFC 9110 (7.8) lets a server ignore.
        """
        pieces = [rest]
        while pieces:
            request = self.request
            self._parser = httptools.HttpRequestParser(self)
            lines = [b"%b: %b\r\n" % field for field in request.headers if field[0] != b"upgrade"]
            version = b"1.0" if request.is_http10 else b"1.1"
            head = b"%b %b HTTP/%b\r\n%b\r\n" % (request.method, request.target, version, b"".join(lines))
            try:
                self._parser.feed_data(head)
                piece = pieces.pop()
                if piece:
                    self._parser.feed_data(piece)
            except httptools.HttpParserUpgrade as found:
                pieces.append(piece[found.args[0] :])
            except httptools.HttpParserError as error:
                self._fail(error)

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
