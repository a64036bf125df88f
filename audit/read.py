"""Reads a cluster from YAML, JSON or plain data."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.assumptions import Assumptions
from audit.cluster import Cluster
from audit.errors import AuditError, ReadError
from audit.reading import sources
from audit.reading.documents import DataDocument, split
from audit.reading.documents import TextDocument as Document
from audit.reading.objects import Reader
from audit.reading.revisions import revision_texts


def objects(
    given: Iterable[str | Path | Mapping[str, Any]],
    *,
    assumptions: Assumptions | None = None,
    default_namespace: str = "default",
    keep_going: bool = False,
    details: bool = False,
) -> Cluster:
    """A cluster from files, folders, globs, `-` for standard input, and objects as plain dicts.

    Args:
        given: Paths and objects, in any order; Lists count as their items.
        assumptions: What YAML cannot say.
        default_namespace: Namespace of objects that do not name one.
        keep_going: Keep what is invalid in `Cluster.problems` instead of raising it.
        details: Read roles, bindings, quotas and everything else that is not about the network, too.

    Returns:
        The cluster.

    Raises:
        ReadError: The input is invalid.
        AuditError: A path leads to nothing, or the input holds no object.
    """
    reader = Reader(default_namespace, details=details)
    files: list[tuple[str, str]] = []
    for number, each in enumerate(given, start=1):
        if isinstance(each, Mapping):
            reader.add(DataDocument(number, dict(each)))
            continue
        for text in sources.texts([each]):
            files += [(text.file, text.digest)] if text.digest else []
            for document in split(text.file, text.content):
                reader.add(document)
    return _cluster(reader, assumptions, keep_going=keep_going, files=files)


def context(
    name: str,
    *,
    kubeconfig: Path | None = None,
    assumptions: Assumptions | None = None,
    keep_going: bool = False,
    details: bool = False,
) -> Cluster:
    """A running cluster, read through kubectl; nothing in it is changed.

    Args:
        name: The kubeconfig's context.
        kubeconfig: The file, or None for what kubectl finds by itself.
        assumptions: What the objects cannot say.
        keep_going: Keep what is invalid in `Cluster.problems` instead of raising it.
        details: Read roles, bindings, quotas and everything else that is not about the network, too.

    Raises:
        ReadError: An object is invalid.
        AuditError: kubectl is not there, or fails.
    """
    reader = Reader(details=details)
    for found in sources.cluster(name, kubeconfig, details=details):
        reader.add(DataDocument(0, found, f"context {name}"))
    return _cluster(reader, assumptions, keep_going=keep_going)


def documents(given: Iterable[Document], *, default_namespace: str = "default") -> Cluster:
    """A cluster from documents, in detail; what is invalid is in its problems, and it may be empty.

    Args:
        given: The documents.
        default_namespace: Namespace of objects that do not name one.
    """
    reader = Reader(default_namespace, details=True)
    for each in given:
        reader.add(each)
    return Cluster(reader.inventory(), Assumptions(), tuple(reader.problems))


def side(given: str, paths: Sequence[str]) -> list[Document]:
    """One side of a comparison: the documents of a file, a folder, or a git revision.

    Args:
        given: A path, or a revision of the repository in which the command runs.
        paths: What to read of a revision.

    Raises:
        AuditError: It is neither.
    """
    found = sources.texts([given]) if Path(given).exists() else revision_texts(given, paths)
    return [document for text in found for document in split(text.file, text.content)]


def _cluster(
    reader: Reader, assumptions: Assumptions | None, *, keep_going: bool, files: Sequence[tuple[str, str]] = ()
) -> Cluster:
    if reader.problems and not keep_going:
        raise ReadError(reader.problems)
    if not reader.objects:
        raise AuditError("the input holds no object; name files or folders with Kubernetes manifests")
    return Cluster(reader.inventory(), assumptions or Assumptions(), tuple(reader.problems), files)
