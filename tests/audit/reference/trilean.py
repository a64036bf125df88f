"""Yes, no and maybe: what is said where the text leaves a question open."""

from collections.abc import Iterable

Trilean = bool | None


def any_of(values: Iterable[Trilean]) -> Trilean:
    """Yes where one is yes; no where all are no, as of none."""
    said = set(values)
    return True if True in said else None if None in said else False


def all_of(values: Iterable[Trilean]) -> Trilean:
    """No where one is no; yes where all are yes, as of none."""
    said = set(values)
    return False if False in said else None if None in said else True
