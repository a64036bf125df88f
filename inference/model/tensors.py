"""Named arrays of numbers and bytes in a safetensors file; nothing in such a file can be executed.

The `safetensors` package reads it. `pack` writes it: the package would write other bytes, on which digests depend, and
takes memory addresses instead of buffers.
"""

import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from safetensors import SafetensorError, deserialize

from inference.errors import ArtifactError, excerpt

_LENGTH_BYTES: Final = 8
_TYPECODES: Final = {"F64": "d", "U32": "I"}
_DTYPES: Final = (*_TYPECODES, "U8")


@dataclass(frozen=True)
class Tensor:
    """An array: `dtype` F64, U32 or U8, `shape` in items, `data` its little-endian bytes, row-major."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray

    @classmethod
    def from_doubles(cls, values: "array[float]", shape: tuple[int, ...]) -> "Tensor":
        """A tensor of doubles."""
        return cls("F64", shape, _little_endian(values).tobytes())

    @classmethod
    def from_integers(cls, values: "array[int]", shape: tuple[int, ...]) -> "Tensor":
        """A tensor of unsigned integers of 32 bits."""
        return cls("U32", shape, _little_endian(values).tobytes())

    def doubles(self) -> "array[float]":
        """The items as doubles.

        Raises:
            ArtifactError: the tensor holds something else.
        """
        values: array[float] = self._numbers("F64")
        return values

    def integers(self) -> "array[int]":
        """The items as unsigned integers of 32 bits.

        Raises:
            ArtifactError: the tensor holds something else.
        """
        values: array[int] = self._numbers("U32")
        return values

    def _numbers(self, dtype: str) -> Any:
        if self.dtype != dtype:
            raise ArtifactError(
                f"the weights hold a tensor of {self.dtype} where {dtype} is required; train the model again"
            )
        values = array(_TYPECODES[dtype])
        values.frombytes(self.data)
        return _little_endian(values)


def _little_endian(values: "array[Any]") -> "array[Any]":
    """The same numbers, with their bytes in the other order on a big-endian processor."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
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
    """The tensors of a safetensors file.

    Raises:
        ArtifactError: the file is truncated, has gaps or overlaps, or holds a tensor of another type.
    """
    try:
        found = dict(deserialize(content))  # type: ignore[no-untyped-call] # its stub has no types
    except SafetensorError as error:
        raise ArtifactError(f"the weights are not a safetensors file: {excerpt(error)}") from error
    for name, entry in found.items():
        if entry["dtype"] not in _DTYPES:
            raise ArtifactError(
                f"tensor {excerpt(name)!r} of the weights has dtype {entry['dtype']}; this service reads "
                f"{', '.join(_DTYPES)}"
            )
    return {name: Tensor(entry["dtype"], tuple(entry["shape"]), entry["data"]) for name, entry in found.items()}
