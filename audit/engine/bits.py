"""Sets of classes as integers: bit i stands for class i."""

from collections.abc import Iterable, Iterator


def members(bits: int) -> Iterator[int]:
    """The members of a set, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def of(numbers: Iterable[int]) -> int:
    """The set of some members."""
    result = 0
    for number in numbers:
        result |= 1 << number
    return result


def refined(cells: list[int], mask: int) -> list[int]:
    """A partition, split so that a mask contains each part whole or not at all."""
    return [part for cell in cells for part in (cell & mask, cell & ~mask) if part]
