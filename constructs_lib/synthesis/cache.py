"""Keeps what was synthesized, by the content of everything that it is made of."""

import contextlib
import hashlib
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Final, Self

from constructs_lib.names import CACHE_ENV
from constructs_lib.synthesis.fingerprint import fingerprint

OFF: Final = "off"
LIMIT: Final = 64 * 2**20
"""Maximum size in bytes. A tenant's manifest takes about 7 kB, so this holds about 9,000."""
_DIGEST: Final = hashlib.sha256().digest_size


class Cache:
    """A folder with one file per entry. A failure to read or write it is never an error, only a slower synthesis.

    Args:
        folder: the folder; None for a cache that is always empty.
        limit: maximum size in bytes; `trim` deletes what was used longest ago.
    """

    def __init__(self, folder: Path | None, *, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    @classmethod
    def from_environment(cls) -> Self:
        """The cache that TENANTRY_CACHE names; without it, a folder of the user's cache."""
        named = os.environ.get(CACHE_ENV)
        if named is not None:
            return cls(None if named in {"", OFF} else Path(named))
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
        return cls(Path(base, "tenantry", "synth") if Path(base).is_absolute() else None)

    def read(self, key: str) -> bytes | None:
        """What was stored under `key`; None if there is nothing, or if it is damaged."""
        if self._folder is None:
            return None
        path = self._folder / key
        try:
            stored = path.read_bytes()
            content = zlib.decompress(stored[_DIGEST:])
            os.utime(path)
        except (OSError, zlib.error):
            return None
        return content if hashlib.sha256(content).digest() == stored[:_DIGEST] else None

    def digest(self, key: str) -> bytes | None:
        """The SHA-256 digest of what was stored under `key`; None if there is nothing."""
        if self._folder is None:
            return None
        try:
            with Path(self._folder, key).open("rb") as file:
                os.utime(file.fileno())
                return file.read(_DIGEST)
        except OSError:
            return None

    def store(self, key: str, content: bytes) -> None:
        """Store `content`; do nothing if the folder cannot be written."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + zlib.compress(content, 1))
                Path(name).replace(self._folder / key)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def trim(self) -> None:
        """Delete what was used longest ago until the cache takes at most three quarters of its limit."""
        if self._folder is None or not self._folder.is_dir():
            return
        with contextlib.suppress(OSError):
            files = sorted(((each.stat(), each) for each in self._folder.iterdir()), key=lambda each: each[0].st_mtime)
            size = sum(stat.st_size for stat, _ in files)
            if size <= self._limit:
                return
            for stat, path in files:
                if size <= self._limit * 3 // 4:
                    return
                path.unlink(missing_ok=True)
                size -= stat.st_size


def key(kind: str, *parts: str) -> str:
    """The name under which something is stored: a digest of everything that it is made of, and of the code.

    Args:
        kind: what is stored.
        parts: what it is made of.
    """
    return hashlib.sha256(json.dumps([fingerprint(), kind, *parts]).encode()).hexdigest()
