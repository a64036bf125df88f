"""API keys as the Secret `api-keys` stores them: for each caller, the SHA-256 digests of its keys and when they expire.

The Secret has one entry per caller; the entry's name is the caller's name, and each line of its text is one key:
`sha256:<64 hexadecimal digits>`, followed by the time at which the key expires, if it does. A key is 32 random bytes,
so its digest needs no salt, and nobody can find the key from it.

This module imports nothing but the standard library: the service and the command `tenantry keys` share it.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PREFIX: Final = "tnt_"
"""Beginning of every key, by which scanners for secrets recognize it."""
MAX_CALLERS: Final = 200
"""Callers of one tenant: each is a value of a metric's label."""
MAX_KEYS: Final = 5
"""Keys of one caller: the new one and the old one while it is replaced, and a few in reserve."""
_KEY_BYTES: Final = 32
_CALLER: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_LINE: Final = re.compile(r"sha256:(?P<digest>[0-9a-f]{64})( (?P<expires>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
ANONYMOUS: Final = "anonymous"
"""Name of every caller where no key is required."""
UNKNOWN: Final = "unknown"
"""Name of callers without a valid key."""
RESERVED: Final = frozenset({ANONYMOUS, UNKNOWN})
"""Names of callers without a key in metrics."""


class ApiKeyError(ValueError):
    """An entry that is not valid; the message names the caller and the rule, and never a digest or a key."""


@dataclass(frozen=True)
class ApiKey:
    """A key, without the key itself.

    Attributes:
        digest: SHA-256 digest of the key.
        expires: When it expires, in UTC; None if it does not.
    """

    digest: bytes
    expires: datetime | None = None

    def __str__(self) -> str:
        expires = f" {self.expires.strftime(_TIME)}" if self.expires else ""
        return f"sha256:{self.digest.hex()}{expires}"


def new_key() -> str:
    """A new random key."""
    return PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest_of(key: bytes) -> bytes:
    """The SHA-256 digest of a key."""
    return hashlib.sha256(key).digest()


def check_caller(name: str) -> str:
    """Return the name of a caller.

    Raises:
        ApiKeyError: It is not valid.
    """
    if not _CALLER.fullmatch(name) or name in RESERVED:
        raise ApiKeyError(
            f"caller '{name[:80]}' must have 1 to 40 characters, a-z, 0-9 and '-', starting and ending with a letter"
            f" or digit, and must not be {' or '.join(sorted(RESERVED))}; choose another name"
        )
    return name


def parse_entry(caller: str, text: str) -> tuple[ApiKey, ...]:
    """The keys of one caller.

    Raises:
        ApiKeyError: The name or a line is not valid, or there are no keys or too many.
    """
    check_caller(caller)
    keys = []
    for number, line in enumerate(text.strip().split("\n"), start=1):
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ApiKeyError(f"caller '{caller}', line {number}: must be 'sha256:<64 hexadecimal digits> [expiry]'")
        keys.append(ApiKey(bytes.fromhex(found["digest"]), _time(caller, number, found["expires"])))
    if len(keys) > MAX_KEYS:
        raise ApiKeyError(f"caller '{caller}' has {len(keys)} keys; a caller has at most {MAX_KEYS}")
    return tuple(keys)


def parse_entries(entries: Mapping[str, str]) -> dict[str, tuple[ApiKey, ...]]:
    """The keys of every caller.

    Args:
        entries: The texts by caller.

    Raises:
        ApiKeyError: An entry is not valid, there are too many, or two callers have the same key.
    """
    if len(entries) > MAX_CALLERS:
        raise ApiKeyError(f"{len(entries)} callers; a tenant has at most {MAX_CALLERS}")
    found = {caller: parse_entry(caller, text) for caller, text in sorted(entries.items())}
    owners: dict[bytes, str] = {}
    for caller, keys in found.items():
        for key in keys:
            if owners.setdefault(key.digest, caller) != caller:
                raise ApiKeyError(
                    f"callers '{owners[key.digest]}' and '{caller}' have the same key; revoke one of them"
                )
    return found


def entry_text(keys: Sequence[ApiKey]) -> str:
    """The text of a caller's entry."""
    return "".join(f"{key}\n" for key in keys)


def _time(caller: str, number: int, text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC) if text else None
    except ValueError as error:
        raise ApiKeyError(
            f"caller '{caller}', line {number}: the expiry must be a time such as 2030-01-31T12:00:00Z"
        ) from error
