"""The API key that a command sends to a tenant with `auth: apiKeys`.

It comes from a variable or a file and never from an argument: other users of the machine can read arguments. No message
contains it.
"""

import os
import re
from pathlib import Path
from typing import Final

from tenantry.errors import InputError
from tenantry.options import API_KEY_ENV

_KEY: Final = re.compile(r"[!-~]+")
_REFUSALS: Final = {401: "no key, or one that is not valid", 403: "a key that has expired"}


def read_api_key(file: Path | None) -> str:
    """The key in the file that `--api-key` names, or in the variable; empty without both.

    Raises:
        InputError: The file cannot be read or is empty, or its content cannot be a key.
    """
    if file is None:
        source, key = API_KEY_ENV, os.environ.get(API_KEY_ENV, "").strip()
        if not key:
            return ""
    else:
        source, key = "--api-key", _content(file)
    if not _KEY.fullmatch(key):
        raise InputError(f"{source}: must contain one API key, of visible ASCII characters without spaces")
    return key


def refusal(tenant: str, status: int) -> str:
    """What to do after a tenant has refused a request for want of a valid key; empty for another status."""
    if status not in _REFUSALS:
        return ""
    return (
        f"{tenant} requires an API key, and the request had {_REFUSALS[status]} (status {status}). Create one with "
        f"`tenantry keys {tenant} add NAME` and set {API_KEY_ENV} to it; pods accept it within about two minutes"
    )


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:  # without the path, which is a key if somebody mistook the option
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(
            f"--api-key: the file cannot be read ({reason}). The option takes the path of a file that contains the "
            f"key, never the key itself; or set {API_KEY_ENV}"
        ) from None
