"""The binary tensor data extension: tensors that follow the JSON of a request or a response.

Triton's docs/protocol/extension_binary_data.md specifies it. Elements are little-endian and in row-major order. An
element of datatype BYTES is its length (4 bytes) and then its bytes.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from msgspec import UNSET

from inference.errors import BadRequestError
from inference.serving.protocol.messages import InferInput
from inference.serving.protocol.tensor_messages import TensorInput

T = TypeVar("T", InferInput, TensorInput)

EXTENSION: Final = "binary_tensor_data"
"""Name of the extension in the server metadata."""
HEADER: Final = b"inference-header-content-length"
"""HTTP header with the size in bytes of the JSON; the rest of the body is binary tensors."""


def split_tensors(inputs: Sequence[T], raw: bytes) -> Iterator[tuple[T, bytes]]:
    """Return each input whose tensor follows the JSON, with the bytes of that tensor.

    Args:
        inputs: The inputs in the JSON of the request.
        raw: Everything after the JSON.

    Raises:
        BadRequestError: `raw` does not have the size that the inputs specify.
    """
    for tensor in inputs:
        size = tensor.parameters.binary_data_size if tensor.parameters else UNSET
        if size is UNSET:
            continue
        if not 0 <= size <= len(raw) or tensor.data is not UNSET:
            raise BadRequestError(
                f"inputs: binary_data_size of '{tensor.name[:100]}' does not match the bytes after the JSON"
            )
        yield tensor, raw[:size]
        raw = raw[size:]
    if raw:
        raise BadRequestError(f"{len(raw)} bytes after the JSON belong to no tensor")


def unpack_texts(raw: bytes) -> Iterator[str]:
    """Return the elements of a tensor of datatype BYTES that holds UTF-8.

    Raises:
        BadRequestError: An element is truncated or is not UTF-8.
    """
    start = 0
    while start < len(raw):
        end = start + 4 + int.from_bytes(raw[start : start + 4], "little")
        if end > len(raw):
            raise BadRequestError("inputs: the last binary text is truncated")
        try:
            yield raw[start + 4 : end].decode()
        except UnicodeDecodeError as error:
            raise BadRequestError(f"inputs: a binary text is not UTF-8: {error.reason}") from error
        start = end


def pack_texts(texts: Sequence[str]) -> bytes:
    """Return a tensor of datatype BYTES."""
    encoded = [text.encode() for text in texts]
    return b"".join(part for text in encoded for part in (len(text).to_bytes(4, "little"), text))


def pack_doubles(numbers: Iterable[float]) -> bytes:
    """Return a tensor of datatype FP64."""
    values = array("d", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
