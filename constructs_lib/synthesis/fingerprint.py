"""Identifies the code that makes manifests, so that a change of it makes every cached manifest unusable."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = tuple(ROOT / name for name in ("constructs_lib", "imports", "inference"))
"""What the constructs import: themselves, the bindings with the JavaScript below them, and the service's contract."""
_SUFFIXES: Final = frozenset({".py", ".tgz"})
OPTIONS: Final = ("CDK8S_DISABLE_SORT", "CDK8S_LEGACY_HASH")
"""Environment variables that change what cdk8s writes."""


@cache
def fingerprint() -> str:
    """The fingerprint of this installation, as hexadecimal digits."""
    return of(FOLDERS, [*distributions(sys.path), sys.version, *(os.environ.get(name, "") for name in OPTIONS)])


def of(folders: Iterable[Path], facts: Iterable[str]) -> str:
    """The fingerprint of the source files below `folders` and of `facts`."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"{len(fact)} {fact}\n".encode())
    for folder in folders:
        for path in sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder.parent)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def distributions(path: Iterable[str]) -> Iterator[str]:
    """The installed packages with their versions: more than the constructs use, so none is forgotten."""
    for folder in path:
        if Path(folder).is_dir():
            yield from sorted(each.name for each in Path(folder).glob("*.dist-info"))
