"""The API keys in force: read from the mounted Secret, and read again when it changes."""

import asyncio
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from inference import api_keys
from inference.api_keys import ApiKeyError, digest_of

MAX_ENTRY_BYTES: Final = 4_096
_log = structlog.get_logger()
_NO_DIGEST: Final = bytes(32)


class Owner(NamedTuple):
    """Whose key it is, and until when, in seconds since the epoch."""

    caller: str
    digest: bytes
    expires: float


_NEVER: Final = float("inf")
_NOBODY: Final = Owner("", _NO_DIGEST, 0.0)


class KeyRing:
    """The keys of a folder, one file per caller, as Kubernetes mounts a Secret. Belongs to the event loop's thread.

    A folder that is missing or empty has no keys. A folder with an invalid file changes nothing: the keys that were
    read before stay in force.

    Args:
        folder: The folder.

    Attributes:
        callers: Names of the callers that have a key.
        is_valid: Whether the folder's content was valid when it was last read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._owners: dict[bytes, Owner] = {}
        self._used: dict[int, tuple[bytes, Owner]] = {}  # keys in force that were used, which need no digest again
        self._content: dict[str, bytes] | None = None
        self.callers: tuple[str, ...] = ()
        self.is_valid = True

    def find(self, key: bytes) -> Owner | None:
        """The owner of a key, also if the key has expired; None if the key is unknown.

        The dictionaries compare hashes that are salted per process, and keys and digests are compared in constant time,
        so the time that this takes says nothing about the keys in force.
        """
        used = self._used.get(hash(key))
        if used is not None and hmac.compare_digest(used[0], key):
            return used[1]
        digest = digest_of(key)
        owner = self._owners.get(digest, _NOBODY)
        if not hmac.compare_digest(owner.digest, digest):
            return None
        self._used[hash(key)] = key, owner
        return owner

    def reload(self) -> None:
        """Read the folder if it has changed; log the result."""
        try:
            content = dict(self._read())
            if content == self._content:
                self.is_valid = True
                return
            entries = api_keys.parse_entries({name: _text(name, data) for name, data in content.items()})
        except (ApiKeyError, OSError) as error:
            if self.is_valid:
                reason = str(error) if isinstance(error, ApiKeyError) else f"{type(error).__name__}: {error.strerror}"
                _log.error("api keys not loaded; the previous ones stay in force", error=reason, keys=len(self._owners))
            self.is_valid = False
            return
        self._content = content
        self._owners = {
            key.digest: Owner(caller, key.digest, key.expires.timestamp() if key.expires else _NEVER)
            for caller, keys in entries.items()
            for key in keys
        }
        self._used.clear()
        self.callers = tuple(entries)
        self.is_valid = True
        _log.info("api keys loaded", callers=len(entries), keys=len(self._owners))

    async def watch(self, seconds: float) -> None:
        """Reload every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            self.reload()

    def _read(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of each file; Kubernetes' own names begin with a dot."""
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if not path.name.startswith("."):
                with path.open("rb") as file:
                    yield path.name, file.read(MAX_ENTRY_BYTES + 1)


def _text(name: str, data: bytes) -> str:
    if len(data) > MAX_ENTRY_BYTES:
        raise ApiKeyError(f"caller '{name[:80]}': the entry has more than {MAX_ENTRY_BYTES} bytes")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise ApiKeyError(f"caller '{name[:80]}': the entry must be ASCII text") from error


def has_expired(owner: Owner) -> bool:
    """Whether a key is no longer valid."""
    return owner.expires != _NEVER and time.time() >= owner.expires
