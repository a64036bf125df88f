"""The lower case of long texts, converted in slices.

`str.lower` holds the interpreter's lock until it returns, for up to 50 ms per million characters, and every other
request waits. Between two slices other threads get their turn.
"""

from functools import lru_cache
from typing import Final

SLICE_CHARACTERS: Final = 32_768
"""Characters per slice, converted in about a millisecond."""


def lower(text: str) -> str:
    """Return the same as `text.lower()`.

    The lower case of a character depends on others only for `Σ`, which is `ς` at the end of a word. To find the end,
    Unicode looks for the nearest character on each side that is not case-ignorable. So slices begin and end beside
    such characters, and each is converted together with its two neighbours.
    """
    if len(text) <= SLICE_CHARACTERS:
        return text.lower()
    slices: list[str] = []
    start = 0
    while start < len(text):
        end = _slice_end(text, start + SLICE_CHARACTERS)
        before, after = text[max(start - 1, 0) : start], text[end : end + 1]
        lowered = (before + text[start:end] + after).lower()
        slices.append(lowered[len(before.lower()) : len(lowered) - len(after.lower())])
        start = end
    return "".join(slices)


def _slice_end(text: str, end: int) -> int:
    """Return the first index from `end` between two characters that are not case-ignorable, or the end of `text`."""
    while end < len(text) and (_is_case_ignorable(text[end - 1]) or _is_case_ignorable(text[end])):
        end += 1
    return min(end, len(text))


@lru_cache(maxsize=1024)
def _is_case_ignorable(character: str) -> bool:
    """Return whether `str.lower` looks past `character`: only then does a `Σ` behind it depend on what is before it."""
    return ("a" + character + "Σ").lower()[-1] != (" " + character + "Σ").lower()[-1]
