"""A request, or the part of one that has arrived."""

from enum import Enum, auto
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.errors import RequestError
    from inference.serving.callers.callers import Caller


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
        is_binary: Whether the body is not just JSON: it is compressed, or the protocol's binary tensors are in it.
        is_compressed: Whether it is compressed with gzip.
        caller: Who has sent it, once that is known.
        began: When its first byte arrived, by `perf_counter`.
        head_bytes: Bytes of its head, or a little more.
        held_bytes: Memory that the whole request is charged for.
        refusal: Why it is not served, if it is not.
    """

    __slots__ = (
        "began", "body", "caller", "head_bytes", "headers", "held_bytes", "is_binary", "is_compressed", "is_http10",
        "keep_alive", "method", "refusal", "target",
    )  # fmt: skip

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.keep_alive = False
        self.is_http10 = False
        self.is_binary = self.is_compressed = False
        self.began = perf_counter()
        self.head_bytes = 0
        self.held_bytes = 0
        self.refusal: RequestError | None = None
        self.caller: Caller | None = None
