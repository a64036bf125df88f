"""The objects of a document: itself, or the items of a List."""

from collections.abc import Iterable, Iterator
from typing import Any

from audit.model.place import Path, Place
from audit.reading.documents import DataDocument, TextDocument


def items(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The objects of a document: itself, or the items of a List."""
    if data is None:
        return
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(data, list):
        yield from _each(data, path, None, None)
    elif isinstance(kind, str) and kind.endswith("List") and isinstance(data.get("items"), list):
        item_kind = kind.removesuffix("List") or None
        yield from _each(data["items"], (*path, "items"), item_kind, data.get("apiVersion"))
    else:
        yield path, data


def _each(listed: Iterable[Any], path: Path, kind: str | None, version: Any) -> Iterator[tuple[Path, Any]]:
    for index, item in enumerate(listed):
        # The items of a typed list, such as a DeploymentList, need not repeat kind and version.
        full = {"kind": kind, "apiVersion": version, **item} if kind and isinstance(item, dict) else item
        yield from items(full, (*path, index))


def reread(place: Place) -> Any:
    """The data of an object that was read before: keeping all of it would double the memory."""
    wanted = place.document
    assert isinstance(wanted, TextDocument | DataDocument)  # noqa: S101 - the reader takes no other
    return next((data for path, data in items(wanted.data(), ()) if path == place.root), None)
