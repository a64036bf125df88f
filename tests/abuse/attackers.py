"""Hostile clients. Each is bounded in bytes, connections and time, and calls from an address of its own."""

import random
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

BODY = b'{"text": "free money"}'
LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
PREDICT = b"POST /predict HTTP/1.1\r\nHost: a\r\n" + LENGTH
MANY_EMPTY_TEXTS = b'{"text": [' + b'"",' * 650_000 + b'""]}'


class Attacker:
    """Opens connections to a service from one loopback address.

    Args:
        port: Of the service.
        address: Where it calls from.
    """

    def __init__(self, port: int, address: str = "127.0.0.2") -> None:
        self.port = port
        self.address = address
        self.sockets: list[socket.socket] = []

    def connect(self, receive_bytes: int = 0) -> socket.socket:
        """A connection; with a small receive buffer it makes the service wait soon."""
        client = socket.socket()
        if receive_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(5)
        client.bind((self.address, 0))
        client.connect(("127.0.0.1", self.port))
        self.sockets.append(client)
        return client

    def send(self, client: socket.socket, data: bytes) -> None:
        """Send as much as the service takes."""
        with suppress(OSError):
            client.sendall(data)

    def close(self) -> None:
        """Leave, at once and without a word."""
        for client in self.sockets:
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.sockets.clear()


def post(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    """A prediction's bytes."""
    size = b"Content-Length: %d\r\n" % (len(body) if length is None else length)
    return b"POST /predict HTTP/1.1\r\nHost: a\r\n%b%b\r\n%b" % (size, b"".join(headers), body)


def chunked(body: bytes, size: int, rest: bytes = b"0\r\n\r\n") -> bytes:
    """The same in chunks of one size."""
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + rest


def upgrades(attacker: Attacker) -> None:
    """Pipelines of requests that all ask for another protocol."""
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    for _ in range(40):
        client = attacker.connect()
        attacker.send(client, request * 500)
        client.close()


def trailers(attacker: Attacker) -> None:
    """Trailers without an end: many fields, and one long value."""
    for _ in range(3):
        for part in (b"x: y\r\n" * 700_000, b"x: " + b"y" * 4_000_000):
            attacker.send(attacker.connect(), chunked(BODY, 64, b"0\r\n" + part))


def small_chunks(attacker: Attacker) -> None:
    """Bodies in chunks of one byte, and chunk extensions without an end."""
    for _ in range(5):
        attacker.send(attacker.connect(), chunked(b" " * 200_000, 1))
    attacker.send(attacker.connect(), chunked(BODY, 64, b"16;" + b"a=b;" * 1_000_000))
    attacker.send(attacker.connect(), chunked(BODY, 64, b"0" * 4_000_000))


def stalled_bodies(attacker: Attacker) -> None:
    """Bodies of two megabytes whose last byte never comes."""
    for _ in range(40):
        attacker.send(attacker.connect(), post(b" " * 2_000_000, length=2_000_001))


def unread_answers(attacker: Attacker) -> None:
    """Pipelines whose answers are never read."""
    get = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    clients = [attacker.connect(4_096) for _ in range(40)]
    for client in clients:
        client.settimeout(0.1)
        attacker.send(client, get * 2_000)
    for client in clients:
        attacker.send(client, PREDICT * 2_000)


def large_heads(attacker: Attacker) -> None:
    """Heads of thousands of fields, and heads that never end."""
    for _ in range(150):
        attacker.send(attacker.connect(), b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:\r\n" * 6_500)
        attacker.send(attacker.connect(), b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 32_000)


def many_values(attacker: Attacker) -> None:
    """Bodies of as many values as fit, all at once."""
    clients = [attacker.connect() for _ in range(30)]
    for client in clients:
        attacker.send(client, post(MANY_EMPTY_TEXTS))


def long_texts(attacker: Attacker) -> None:
    """Bodies that take long to decode, to convert to lower case, to score and to explain, many at once."""
    texts = (
        '"' + "\u0130" * 990_000 + '"',
        '"' + "\\u0130" * 340_000 + '"',
        '"' + "free money " * 90_000 + '"',
        '"' + "\u03a3\u0301" * 450_000 + '"',
        "[" + ",".join(['"' + "\u0130" * 990 + '"'] * 1_000) + "]",
    )
    for _ in range(3):
        for text in texts:
            attacker.send(attacker.connect(), post(f'{{"text": {text}}}'.encode()))
        words = "free money " * 9_000
        attacker.send(attacker.connect(), post(f'{{"text": "{words}", "explain": true}}'.encode()))


def resets(attacker: Attacker) -> None:
    """Clients that reset the connection at any moment."""
    chance = random.Random(1)  # noqa: S311 - the same attack on every run
    long = post(b'{"text": "' + b"free " * 10_000 + b'"}')
    for _ in range(600):
        request = chance.choice([PREDICT, long, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"]) * chance.randrange(1, 5)
        attacker.send(attacker.connect(), request[: chance.randrange(1, len(request) + 1)])
        if chance.random() < 0.1:
            attacker.close()
    attacker.close()


def mutations(attacker: Attacker) -> None:
    """Requests with bytes changed, doubled and left out, some half closed."""
    chance = random.Random(2)  # noqa: S311 - the same attack on every run
    seeds = [PREDICT, chunked(BODY, 5), PREDICT.replace(b"Host: a", b"Host: a\r\nConnection: upgrade\r\nUpgrade: h2c")]
    for _ in range(400):
        raw = bytearray(chance.choice(seeds) * chance.randrange(1, 4))
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(raw))
            raw[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        client = attacker.connect()
        attacker.send(client, bytes(raw))
        if chance.random() < 0.5:
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        if len(attacker.sockets) > 100:
            attacker.close()


def crawling(attacker: Attacker) -> None:
    """Many clients that send a byte at a time, and many that send empty lines."""
    clients = [attacker.connect() for _ in range(200)]
    deadline = time.monotonic() + 3
    for byte in PREDICT:
        if time.monotonic() > deadline:
            return
        for number, client in enumerate(clients):
            attacker.send(client, bytes([byte]) if number % 2 else b"\r\n")


def pipelines(attacker: Attacker) -> None:
    """The smallest requests, as many as fit."""
    request = b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"
    for _ in range(10):
        client = attacker.connect(4_096)
        client.settimeout(0.2)
        attacker.send(client, request * 20_000)


ATTACKS: dict[str, Callable[[Attacker], None]] = {
    attack.__name__: attack
    for attack in (
        upgrades,
        trailers,
        small_chunks,
        stalled_bodies,
        unread_answers,
        large_heads,
        many_values,
        long_texts,
        resets,
        mutations,
        crawling,
        pipelines,
    )
}
