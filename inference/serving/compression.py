"""Compressed request bodies: one gzip member, whose content is at most as large as a body may be."""

import zlib
from typing import Final

from inference.errors import BadRequestError, RequestError, UnsupportedMediaTypeError
from inference.serving import problems
from inference.settings import Settings

ENCODINGS: Final = frozenset({b"gzip", b"x-gzip"})
"""The two names of the only supported coding (RFC 9110, 8.4.1.3)."""
_IDENTITY: Final = b"identity"
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS
_SIZE_BYTES: Final = 4


def is_gzip(encoding: bytes, *, is_compressed: bool = False) -> bool:
    """Whether a value of `Content-Encoding` means gzip; if not, the body is sent as it is.

    Args:
        encoding: The value of the header.
        is_compressed: Whether another such header of the request means gzip already.

    Raises:
        UnsupportedMediaTypeError: It is another coding, or one of several.
    """
    name = encoding.lower()
    if name in ENCODINGS and not is_compressed:
        return True
    if name == _IDENTITY and not is_compressed:
        return False
    shown = encoding[:50].decode("latin-1")
    also = " after gzip" if is_compressed else ""
    raise UnsupportedMediaTypeError(
        f"Content-Encoding '{shown}'{also} is not supported; send gzip only, or the body as it is"
    )


def content_bytes(body: bytes, settings: Settings) -> int:
    """The largest accepted size of the content: the size that the gzip trailer declares, but at most that of a body."""
    return min(_declared_bytes(body), settings.max_body_bytes)


def decompress(body: bytes, settings: Settings) -> bytes:
    """The content of a compressed body. Uses no more memory than `content_bytes`, and releases the interpreter lock.

    Raises:
        PayloadTooLargeError: It has more bytes than a body may have.
        BadRequestError: It is not exactly one gzip member.
    """
    limit = content_bytes(body, settings)
    unpacker = zlib.decompressobj(_GZIP_WBITS)
    try:
        # zlib compares size and checksum at the end, which it reads only when it may return one byte more.
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise _broken("it is damaged or not gzip") from error
    if len(content) > limit:
        if _declared_bytes(body) > limit:
            raise problems.too_large(settings)
        raise _broken("its size is wrong")
    if not unpacker.eof:
        raise _broken("it is incomplete")
    if unpacker.unused_data:
        raise _broken("bytes follow it")
    return content


def _declared_bytes(body: bytes) -> int:
    return int.from_bytes(body[-_SIZE_BYTES:], "little")


def _broken(reason: str) -> RequestError:
    return BadRequestError(f"the body must be one gzip member and nothing else, and {reason}")
