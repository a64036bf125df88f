"""The binary tensor data extension, outgoing: tensors that follow the JSON of a response.

Triton's docs/protocol/extension_binary_data.md specifies it: elements are little-endian and in row-major order; an
element of BYTES is its length (4 bytes) and its bytes.
"""

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

EXTENSION: Final = "binary_tensor_data"
"""Its name in the server's metadata."""


def pack_texts(texts: Sequence[str]) -> bytes:
    """A tensor of BYTES."""
    encoded = [text.encode() for text in texts]
    return b"".join(part for text in encoded for part in (len(text).to_bytes(4, "little"), text))


def pack_doubles(numbers: Iterable[float]) -> bytes:
    """A tensor of FP64."""
    values = array("d", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
