"""Ways to reach the small server: in this process, through a pair of sockets, and on a port."""

import io
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from conformance.messages import Answer, Request
from conformance.runner import Options
from conformance.wire import Sender
from tests.unit.conformance.protocol_server import MODEL, Call, Reply

Handler = Callable[[Call], Reply]


def options(handler: Handler, loading: Handler | None = None, *, most: int | None = None, **members: object) -> Options:
    """Options that reach `handler` without a network, and a server that has not loaded its model.

    A raw connection to `handler` takes at most `most` requests.
    """
    given: dict[str, object] = {
        "url": "http://server.test",
        "model": MODEL,
        "timeout_seconds": 5,
        "huge_bytes": 500_000,
        "sender": _sender(handler),
        "connect": lambda: _connect(handler, most),
    }
    if loading is not None:
        given |= {"loading_url": "http://loading.test", "loading_sender": _sender(loading)}
    return Options(**(given | members))  # type: ignore[arg-type] # by name, as Options has them


@contextmanager
def listening(handler: Handler) -> Iterator[str]:
    """The address of `handler` on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(connection, handler), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _sender(handler: Handler) -> Sender:
    def send(request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        chunked = {"transfer-encoding": "chunked"} if request.chunked else {}
        reply = handler(Call(request.method, request.path, headers | chunked, request.body or b""))
        return Answer(reply.status, reply.headers, reply.body)

    return send


def _connect(handler: Handler, most: int | None) -> socket.socket:
    ours, theirs = socket.socketpair()
    threading.Thread(target=_serve, args=(theirs, handler, most), daemon=True).start()
    return ours


def _serve(connection: socket.socket, handler: Handler, most: int | None = None) -> None:
    """Answer the requests of one connection, one after the other, at `most` so many."""
    with suppress(ConnectionError), connection, connection.makefile("rwb") as stream:
        for _ in range(most) if most is not None else itertools.count():
            call = _read(stream)
            if call is None:
                return
            reply = handler(call)
            lines = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {reply.headers[name]}" for name in reply.headers)]
            head = "\r\n".join([*lines, f"content-length: {len(reply.body)}", "", ""])
            stream.write(head.encode() + reply.body)
            stream.flush()
            if reply.headers.get("connection") == "close":
                return


def _read(stream: io.BufferedRWPair) -> Call | None:
    line = stream.readline().decode().split()
    if not line:
        return None
    headers: dict[str, str] = {}
    while field := stream.readline().decode().strip():
        name, _, value = field.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(headers.get("content-length", 0)))
    return Call(line[0], line[1], headers, body)
