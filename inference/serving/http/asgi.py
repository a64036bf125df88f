"""Asks an ASGI application for the answer to a whole request."""

import asyncio
from typing import Any, Final

from starlette.types import ASGIApp, Message, Scope

from inference.serving.application import BEGAN, CALLER
from inference.serving.http.request import Request
from inference.serving.problems import Answer
from inference.serving.routing import split_target

_SET_BY_WRITER: Final = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date"})
"""Headers that `inference.serving.http.wire` writes itself."""


class BrokenAppError(Exception):
    """The application did not answer, or not with a response that HTTP allows."""


async def ask(app: ASGIApp, request: Request, addresses: tuple[Any, Any]) -> Answer:
    """The application's answer to `request`.

    Args:
        app: Any ASGI application; its response is collected whole.
        request: A whole request.
        addresses: Of the server and of the client, as ASGI has them.

    Raises:
        BadRequestError: The request target is malformed.
        BrokenAppError: See there.
    """
    response = _Response()
    await app(_scope(request, addresses), _Body(bytes(request.body)).receive, response.send)
    return response.answer()


class _Body:
    """Hands a body to the application, once."""

    def __init__(self, body: bytes) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def receive(self) -> Message:
        """The body; after that, nothing more ever arrives."""
        if self._message is None:
            await asyncio.get_running_loop().create_future()
        message, self._message = self._message, None
        return message or {"type": "http.disconnect"}


class _Response:
    """Collects the messages of a response."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take one message."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(bytes(message.get("body", b"")))

    def answer(self) -> Answer:
        """The whole response."""
        if not self._status:
            raise BrokenAppError("the application sent no response")
        content_type, headers = "", []
        for name, value in self._headers:
            if b"\r" in value or b"\n" in value:
                raise BrokenAppError(f"the application sent a line break in header {name.decode('latin-1')}")
            if name.lower() == b"content-type":
                content_type = value.decode("latin-1")
            elif name.lower() not in _SET_BY_WRITER:
                headers.append((name.decode("latin-1"), value.decode("latin-1")))
        return Answer(self._status, content_type, b"".join(self._parts), tuple(headers))


def _scope(request: Request, addresses: tuple[Any, Any]) -> Scope:
    path, query = split_target(request.target)
    server, client = addresses
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.0" if request.is_http10 else "1.1",
        "method": request.method.decode("latin-1"),
        "scheme": "http",
        "path": path,
        "raw_path": request.target.partition(b"?")[0],
        "query_string": query,
        "root_path": "",
        "headers": request.headers,
        "server": server,
        "client": client,
        "state": {},
        BEGAN: request.began,
        CALLER: request.caller,
    }
