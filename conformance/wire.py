"""The connection to a server, which records what is said."""

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import BinaryIO

import httpx

from conformance.messages import Answer, Exchange, Request
from conformance.outcomes import FailedError


class NoAnswerError(FailedError):
    """The server closed the connection, or let the time-out pass."""


Sender = Callable[[Request], Answer]
Connect = Callable[[], socket.socket]


class Wire:
    """Sends requests to one server, and remembers what was said.

    Args:
        url: Address of the server, without `/v2`.
        headers: Sent with every request, for example an authorization.
        timeout_seconds: How long to wait for an answer.
        sender: Answers a request in place of the network.
        connect: Opens a connection for requests that httpx cannot send, in place of one to the server.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout_seconds: float,
        sender: Sender | None = None,
        connect: Connect | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.exchanges: list[Exchange] = []
        self._headers = dict(headers)
        self._timeout_seconds = timeout_seconds
        self._sender = sender or self._over_http
        self._connect = connect or self._open

    def close(self) -> None:
        """Close every connection."""
        if "_client" in vars(self):
            self._client.close()

    def send(self, request: Request) -> Answer:
        """Send one request; once more on a new connection where the server closed an idle one.

        Raises:
            NoAnswerError: there is no answer.
        """
        complete = replace(request, headers=self._headers | dict(request.headers))
        try:
            try:
                answer = self._sender(complete)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                answer = self._sender(complete)
        except httpx.TransportError as error:
            problem = self._problem(error)
            self.exchanges.append(Exchange(request, None, problem))
            raise NoAnswerError(problem) from error
        self.exchanges.append(Exchange(request, answer))
        return answer

    def send_together(self, requests: list[Request], *, wait: bool) -> list[Answer]:
        """Send several requests over one connection.

        Args:
            requests: What to send.
            wait: Whether each request waits for the answer to the one before it; else all are sent at once.

        Returns:
            The answers; fewer than the requests when the server announced that it closes the connection, or closed
            it after an answer to requests that were sent at once.

        Raises:
            NoAnswerError: a request has no answer, and the server did not announce that it closes the connection.
        """
        answers: list[Answer] = []
        try:
            with self._connect() as connection, connection.makefile("rb") as stream:
                if not wait:
                    connection.sendall(b"".join(map(self._encode, requests)))
                for request in requests:
                    if wait:
                        connection.sendall(self._encode(request))
                    answer = _read(stream, request.method)
                    answers.append(answer)
                    self.exchanges.append(Exchange(request, answer))
                    if answer.headers.get("connection", "").lower() == "close":
                        break
        except (OSError, http.client.HTTPException) as error:
            if answers and not wait:
                return answers
            problem = f"no answer to request {len(answers) + 1} of {len(requests)} on one connection: {_name(error)}"
            self.exchanges.append(Exchange(requests[len(answers)], None, problem))
            raise NoAnswerError(problem) from error
        return answers

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=self._timeout_seconds, trust_env=False)

    def _over_http(self, request: Request) -> Answer:
        content = iter([request.body]) if request.chunked and request.body is not None else request.body
        response = self._client.request(
            request.method, f"{self.url}{request.path}", content=content, headers=dict(request.headers)
        )
        return Answer(response.status_code, dict(response.headers), response.content)

    def _open(self) -> socket.socket:
        url = httpx.URL(self.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        connection = socket.create_connection((url.host, port), self._timeout_seconds)
        if url.scheme == "https":
            return ssl.create_default_context().wrap_socket(connection, server_hostname=url.host)
        return connection

    def _encode(self, request: Request) -> bytes:
        url = httpx.URL(f"{self.url}{request.path}")
        body = request.body or b""
        fields = {"Host": url.netloc.decode(), **self._headers, **request.headers, "Content-Length": str(len(body))}
        lines = [f"{request.method} {url.raw_path.decode()} HTTP/1.1", *(f"{key}: {fields[key]}" for key in fields)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _problem(self, error: httpx.TransportError) -> str:
        if isinstance(error, httpx.TimeoutException):
            return f"no answer within {self._timeout_seconds:g} s"
        return f"no answer: {_name(error)}"


class _Shared:
    """The stream of a connection, in the two roles that http.client needs: a socket, and the file that reads it.

    http.client closes the file when it has read one answer; the stream stays open for the next one.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read
        self.readline = stream.readline
        self.readinto = stream.readinto  # type: ignore[attr-defined] # of every buffered reader

    def makefile(self, _mode: str) -> "_Shared":
        """Itself: it is both."""
        return self

    def flush(self) -> None:
        """Do nothing: it only reads."""

    def close(self) -> None:
        """Do nothing: the stream outlives the answer."""


def _read(stream: BinaryIO, method: str) -> Answer:
    response = http.client.HTTPResponse(_Shared(stream), method=method)  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def _name(error: Exception) -> str:
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    return text[:1].lower() + text[1:]
