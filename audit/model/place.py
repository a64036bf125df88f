"""Where in the input something stands."""

from dataclasses import dataclass
from typing import Protocol

Path = tuple[str | int, ...]
"""Keys and indices from the root of an object, as in ("spec", "ingress", 0)."""


class Document(Protocol):
    """A document of the input, which finds lines when they are asked for."""

    file: str

    @property
    def whole(self) -> str:
        """Its text, with content that the audit does not parse."""

    def line(self, path: Path) -> int:
        """The line of what a path leads to, from 1."""

    def text(self, line: int) -> str:
        """The text of a line, without white space around it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a document.

    Attributes:
        document: The document.
        root: Path of the object in it: empty, or ("items", 3) in a List.
        path: Path of the value in the object.
    """

    document: Document
    root: Path = ()
    path: Path = ()

    def at(self, *more: str | int) -> "Place":
        """A value further in."""
        return Place(self.document, self.root, (*self.path, *more))

    @property
    def file(self) -> str:
        """The file, as it was given."""
        return self.document.file

    @property
    def line(self) -> int:
        """The line, from 1."""
        return self.document.line((*self.root, *self.path))

    @property
    def text(self) -> str:
        """The line's text."""
        return self.document.text(self.line)

    @property
    def field(self) -> str:
        """The path as it is written in documentation: spec.ingress[0].from[1]."""
        parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return parts.removeprefix(".")
