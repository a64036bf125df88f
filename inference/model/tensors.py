"""The safetensors file format, as far as a naive Bayes needs it: named arrays of doubles and of bytes.

A file is eight bytes with the header's length (little endian), the header (JSON: for each tensor its dtype, shape and
offsets) and the data. Nothing in it can be executed. Reading needs neither NumPy nor a copy of the file.
"""

import json
import math
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from inference.errors import ArtifactError

_LENGTH_BYTES: Final = 8
_ITEM_BYTES: Final = {"F64": 8, "U8": 1}


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


@dataclass(frozen=True)
class Tensor:
    """An array: `dtype` F64 or U8, `shape` in items, `data` its little-endian bytes, row-major."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview

    def doubles(self) -> "array[float]":
        """The items as doubles.

        Raises:
            ArtifactError: the tensor holds something else.
        """
        if self.dtype != "F64":
            raise ArtifactError(f"the weights hold a tensor of {self.dtype} where F64 is needed; train the model anew")
        values = array("d", bytes(self.data))
        if sys.byteorder == "big":
            values.byteswap()
        return values


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """One safetensors file with `tensors` in name order: the same tensors, the same bytes."""
    header: dict[str, object] = {}
    offset = 0
    for name, tensor in sorted(tensors.items()):
        end = offset + len(tensor.data)
        header[name] = {"data_offsets": [offset, end], "dtype": tensor.dtype, "shape": list(tensor.shape)}
        offset = end
    encoded = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    encoded += b" " * (-len(encoded) % _LENGTH_BYTES)
    data = b"".join(bytes(tensor.data) for _, tensor in sorted(tensors.items()))
    return len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded + data


def unpack(content: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file, as views into `content`.

    Raises:
        ArtifactError: the file is truncated, or its header contradicts itself or the file's length.
    """
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    if len(content) < _LENGTH_BYTES or start > len(content):
        raise ArtifactError(f"the weights are truncated: {len(content)} bytes do not hold the header they announce")
    try:
        entries = msgspec.json.decode(content[_LENGTH_BYTES:start], type=dict[str, msgspec.Raw])
        entries.pop("__metadata__", None)
        header = {name: msgspec.json.decode(entry, type=_Entry) for name, entry in entries.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactError(f"the weights' header is no safetensors header: {error}") from error
    data = memoryview(content)[start:]
    return {name: _tensor(name, entry, data) for name, entry in header.items()}


def _tensor(name: str, entry: _Entry, data: memoryview) -> Tensor:
    if entry.dtype not in _ITEM_BYTES:
        raise ArtifactError(f"tensor {name!r} of the weights has dtype {entry.dtype!r}; this service reads F64 and U8")
    begin, end = entry.data_offsets
    size = math.prod(entry.shape) * _ITEM_BYTES[entry.dtype]
    if begin < 0 or begin + size != end or end > len(data):
        raise ArtifactError(
            f"tensor {name!r} of the weights lies at bytes {begin} to {end}, where {size} of {len(data)} are needed"
        )
    return Tensor(entry.dtype, entry.shape, data[begin:end])
