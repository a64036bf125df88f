"""The protocol's tensor data types: samples, bounds, and how elements are written as binary data."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Element = str | int | float | bool
_TEXT_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True)
class Datatype:
    """A row of the specification's table.

    Attributes:
        name: As metadata and requests spell it.
        code: Format of one element for `struct`; empty for BYTES.
        samples: Elements that a model can be expected to take.
        bounds: The least and the greatest element, and others that are easily read wrong.
        outside: Numbers next to the bounds that the type does not have.
    """

    name: str
    code: str
    samples: tuple[Element, ...]
    bounds: tuple[Element, ...]
    outside: tuple[Element, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of an element; 0 where it varies."""
        return struct.calcsize(f"<{self.code}")

    def pack(self, elements: Sequence[Element]) -> bytes:
        """Elements as binary tensor data: little-endian, without padding."""
        if self.code:
            return struct.pack(f"<{len(elements)}{self.code}", *elements)
        texts = [str(element).encode() for element in elements]
        return b"".join(_TEXT_LENGTH.pack(len(text)) + text for text in texts)

    def unpack(self, data: bytes) -> list[Element]:
        """The elements of binary tensor data.

        Raises:
            ValueError: the data ends inside an element, or is not UTF-8.
        """
        if self.code:
            if len(data) % self.size:
                raise ValueError(f"{len(data)} bytes are not a whole number of {self.name} elements")
            return [element for (element,) in struct.iter_unpack(f"<{self.code}", data)]
        texts: list[Element] = []
        while data:
            end = _TEXT_LENGTH.size + _TEXT_LENGTH.unpack(data[: _TEXT_LENGTH.size].ljust(_TEXT_LENGTH.size, b"\0"))[0]
            if len(data) < max(end, _TEXT_LENGTH.size):
                raise ValueError("a BYTES element is longer than what is left of the data")
            texts.append(data[_TEXT_LENGTH.size : end].decode())
            data = data[end:]
        return texts

    def has(self, value: object) -> bool:
        """Whether a JSON value can be an element: whole numbers may be written as 1.0, BOOL as 0 and 1."""
        if self.name == "BYTES":
            return isinstance(value, str)
        if not isinstance(value, int | float):
            return False
        if self.name == "BOOL":
            return value in {0, 1}
        if self.name.startswith("FP"):
            return not isinstance(value, bool)
        return not isinstance(value, bool) and math.isfinite(value) and value == int(value)

    def same(self, one: object, other: object) -> bool:
        """Whether two JSON values are the same element, after rounding to the type."""
        if not (self.has(one) and self.has(other)):
            return False
        if not self.name.startswith("FP"):
            return one == other
        try:
            return self.pack([one]) == self.pack([other])  # type: ignore[list-item] # `has` saw to it
        except (OverflowError, struct.error):
            return False


def _integer(name: str, code: str, bits: int, *, signed: bool) -> Datatype:
    least, greatest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return Datatype(name, code, (0, 1, 2, 3), (least, greatest, 0, 1), (least - 1, greatest + 1))


def _float(name: str, code: str, greatest: float, least_normal: float, least: float) -> Datatype:
    return Datatype(name, code, (0.5, 1.0, 0.25, 2.0), (greatest, -greatest, least_normal, least, 0.0, -0.0))


DATATYPES: Final = {
    datatype.name: datatype
    for datatype in (
        Datatype("BOOL", "?", (True, False), (False, True, True)),
        _integer("UINT8", "B", 8, signed=False),
        _integer("UINT16", "H", 16, signed=False),
        _integer("UINT32", "I", 32, signed=False),
        _integer("UINT64", "Q", 64, signed=False),
        _integer("INT8", "b", 8, signed=True),
        _integer("INT16", "h", 16, signed=True),
        _integer("INT32", "i", 32, signed=True),
        _integer("INT64", "q", 64, signed=True),
        _float("FP16", "e", 65504.0, 2.0**-14, 2.0**-24),
        _float("FP32", "f", 2.0**128 - 2.0**104, 2.0**-126, 2.0**-149),
        _float("FP64", "d", 1.7976931348623157e308, 2.0**-1022, 5e-324),
        Datatype("BYTES", "", ("free money", "see you at ten", "the quick brown fox", "hello"), ("", "a")),
    )
}
