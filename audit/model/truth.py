"""Three-valued logic: a selector or a rule matches, does not match, or cannot be decided from the input.

The values are ordered, so that `min` is "and" and `max` is "or".
"""

from enum import IntEnum


class Truth(IntEnum):
    """Whether something holds."""

    NO = 0
    MAYBE = 1
    YES = 2


NO, MAYBE, YES = Truth.NO, Truth.MAYBE, Truth.YES
