"""Files of a git revision, without checking it out."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.errors import AuditError
from audit.reading.sources import SUFFIXES, Text


def revision_texts(revision: str, paths: Sequence[str]) -> Iterator[Text]:
    """The manifests below some paths as they are in a revision; nothing where the paths did not exist yet.

    Raises:
        AuditError: git is not there, this is not a repository, or it has no such revision.
    """
    if _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") is None:
        raise AuditError(f"{revision!r} is neither a file or folder nor a git revision of this repository")
    listed = _git("ls-tree", "-r", "-z", "--name-only", revision, "--", *paths)
    if listed is None:
        raise AuditError(f"{revision!r}: git cannot list {', '.join(paths)}; name files and folders of this repository")
    for name in listed.decode().split("\0"):
        if Path(name).suffix in SUFFIXES:
            content = _git("show", f"{revision}:./{name}")
            if content is None:
                raise AuditError(f"{revision}:{name}: git cannot read it; fetch the whole revision first")
            try:
                yield Text(name, content.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                raise AuditError(f"{revision}:{name}: it is not UTF-8 text; manifests are UTF-8") from error


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise AuditError("comparing with a revision needs git on PATH") from error
    return done.stdout if done.returncode == 0 else None
