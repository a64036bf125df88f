"""Manifests that need no constructs: those of an earlier synthesis that are up to date, and those of the cache.

Imports nothing that takes time: without a change, nothing else of a synthesis runs.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from constructs_lib.names import SUFFIX
from constructs_lib.synthesis.cache import Cache

Identity = tuple[int, int, int]
"""Shows whether a file was replaced or written to: its inode, the time of its last change, and its size."""
Kept = Mapping[str, Identity]
"""Files of an existing folder that are up to date, by their path in it."""


def identity(stat: os.stat_result) -> Identity:
    """The identity of a file."""
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def take(cache: Cache, keys: Mapping[str, str], folder: Path, present: Path | None) -> tuple[set[str], Kept]:
    """Write manifests from the cache into a folder, except those that another folder has already.

    Args:
        cache: the cache.
        keys: the key of each manifest in the cache, by its name.
        folder: the folder; it is created.
        present: a folder of manifests that `folder` will replace, if there is one.

    Returns:
        The names of the manifests that the cache does not have, and the files of `present` that need not be written.
    """
    missing: set[str] = set()
    kept: dict[str, Identity] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, key in keys.items():
        file = f"{name}{SUFFIX}"
        if present is not None and (found := _identity(Path(present, file), cache.digest(key))):
            kept[file] = found
        elif (manifest := cache.read(key)) is not None:
            Path(folder, file).parent.mkdir(exist_ok=True)
            Path(folder, file).write_bytes(manifest)
        else:
            missing.add(name)
    return missing, kept


def _identity(path: Path, digest: bytes | None) -> Identity | None:
    """The identity of a regular file if its content has this digest."""
    if digest is None or path.is_symlink():
        return None
    try:
        with path.open("rb") as file:
            found = identity(os.fstat(file.fileno()))
            return found if hashlib.sha256(file.read()).digest() == digest else None
    except OSError:
        return None


def within(folder: str, kept: Kept) -> Iterable[tuple[str, Identity]]:
    """The files of a subfolder by their path in the folder above; of the folder itself if the name is empty."""
    return ((f"{folder}/{file}" if folder else file, each) for file, each in kept.items())
