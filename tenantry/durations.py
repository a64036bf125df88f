"""Durations as people write them in options: `30m`, `2h`, `1h30m`, `1d`."""

import re
from datetime import timedelta
from typing import Final

from tenantry.errors import InputError

_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def duration(option: str, text: str, longest: timedelta) -> timedelta:
    """The duration that an option has.

    Args:
        option: Name of the option, for the message.
        text: What the user wrote.
        longest: The longest that is allowed.

    Raises:
        InputError: It is not a duration, is zero, or is too long.
    """
    if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?", text) or not text:
        raise InputError(f"{option} {text}: write days, hours and minutes, as in 30m, 2h, 1h30m or 1d")
    parts = re.findall(r"(\d+)([dhm])", text)
    try:
        length = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    except OverflowError:
        length = timedelta.max
    if not timedelta() < length <= longest:
        raise InputError(f"{option} {text}: must be more than zero and at most {longest.days} days")
    return length
