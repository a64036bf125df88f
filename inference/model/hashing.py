"""The hash with which scikit-learn's `HashingVectorizer` assigns n-grams to buckets: MurmurHash3 of 32 bits, seed 0."""

from typing import Final

_MASK: Final = 0xFFFFFFFF
_BLOCK: Final = 4


def murmur3(data: bytes) -> int:
    """The hash as a signed number of 32 bits."""
    value = 0
    whole = len(data) - len(data) % _BLOCK
    for start in range(0, whole, _BLOCK):
        value ^= _scramble(int.from_bytes(data[start : start + _BLOCK], "little"))
        value = (_rotate(value, 13) * 5 + 0xE6546B64) & _MASK
    value ^= _scramble(int.from_bytes(data[whole:], "little"))
    value ^= len(data)
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & _MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & _MASK
    value ^= value >> 16
    return value - (1 << 32) if value >> 31 else value


def bucket_key(ngram: str, buckets: int, *, alternate_sign: bool) -> int:
    """The bucket of the n-gram, from 0; its bitwise complement if the n-gram counts as -1."""
    value = murmur3(ngram.encode("utf-8", "surrogatepass"))
    bucket = abs(value) % buckets
    return ~bucket if alternate_sign and value < 0 else bucket


def bucket_of(key: int) -> int:
    """The bucket of a key."""
    return key if key >= 0 else ~key


def _scramble(block: int) -> int:
    return _rotate((block * 0xCC9E2D51) & _MASK, 15) * 0x1B873593 & _MASK


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK
