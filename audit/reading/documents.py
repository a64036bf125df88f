"""Text to documents: split at `---`, skip kinds that the audit has no use for, parse the rest."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from audit.model.place import Path
from audit.reading.yaml_text import YamlError, parse

_SEPARATOR: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_KIND: Final = re.compile(r"^kind:[ \t]*[\"']?([A-Za-z0-9]+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
_KEY: Final = re.compile(r"^(?=[A-Za-z\"'])", re.MULTILINE)
_KEPT_KEYS: Final = ("apiVersion:", "kind:", "metadata:")
_CONTENT: Final = re.compile(r"^(?![ \t]*(?:#|$)|%|\.\.\.)", re.MULTILINE)


class TextDocument:
    """One document of a file.

    Attributes:
        file: The file, as it was given.
        first_line: Its first line in the file, from 1.
        source: Its text.
        whole: Its text with the content that is not parsed.
    """

    __slots__ = ("file", "first_line", "source", "whole")

    def __init__(self, file: str, first_line: int, source: str, whole: str | None = None) -> None:
        self.file = file
        self.first_line = first_line
        self.source = source
        self.whole = source if whole is None else whole

    @property
    def kind(self) -> str | None:
        """The kind, where it can be read without parsing."""
        found = _KIND.findall(self.source)
        return found[0] if len(found) == 1 else None

    @property
    def empty(self) -> bool:
        """Whether it holds only comments and white space."""
        return _CONTENT.search(self.source) is None

    def without_content(self) -> "TextDocument":
        """The document with nothing but apiVersion, kind and metadata, on the lines that they have."""
        if self.source.lstrip()[:1] in {"{", "["}:
            return self
        parts = (
            part if part.startswith(_KEPT_KEYS) else "\n" * part.count("\n") for part in _KEY.split(self.source)[1:]
        )
        before = self.source[: match.start()] if (match := _KEY.search(self.source)) else ""
        return TextDocument(self.file, self.first_line, before + "".join(parts), self.source)

    def data(self) -> Any:
        """The document as plain data.

        Raises:
            YamlError: It is not valid; the line counts from the start of the file, from 1.
        """
        if self.source.lstrip()[:1] in {"{", "["}:
            try:
                return json.loads(self.source)
            except (ValueError, RecursionError):
                pass  # flow-style YAML, or a mistake that the YAML parser reports with its line
        try:
            return parse(self.source)
        except YamlError as error:
            raise YamlError(str(error), error.line + self.first_line) from error

    def line(self, path: Path) -> int:
        """The line of what a path leads to, or of the nearest value around it."""
        lines = _lines(self)
        while path and path not in lines:
            path = path[:-1]
        return self.first_line + (lines[path] if path else self._start())

    def text(self, line: int) -> str:
        """The text of a line of the file."""
        lines = self.source.splitlines()
        index = line - self.first_line
        return lines[index].strip() if 0 <= index < len(lines) else ""

    def _start(self) -> int:
        found = _CONTENT.search(self.source)
        return self.source.count("\n", 0, found.start()) if found else 0


@lru_cache(maxsize=32)
def _lines(document: TextDocument) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    try:
        parse(document.source, lines)
    except YamlError:
        return {}
    return lines


class DataDocument:
    """An object that has no text: it was given as plain data, or read from a cluster.

    Attributes:
        file: `<objects>`, or the cluster's context.
        number: Which object it is, from 1; 0 where objects have no order.
        value: The data.
    """

    __slots__ = ("file", "number", "value")

    def __init__(self, number: int, value: Any, file: str = "<objects>") -> None:
        self.file = file
        self.number = number
        self.value = value

    @property
    def whole(self) -> str:
        """The data as JSON."""
        return json.dumps(self.value)

    def data(self) -> Any:
        """The data."""
        return self.value

    def line(self, path: Path) -> int:
        """The object's number, for want of lines."""
        del path
        return self.number

    def text(self, line: int) -> str:
        """Nothing: plain data has no text."""
        del line
        return ""


def split(file: str, text: str) -> Iterator[TextDocument]:
    """The documents of a file that are not empty."""
    line, start, begin = 1, 0, 0
    for separator in (*_SEPARATOR.finditer(text), None):
        end = separator.start() if separator else len(text)
        document = TextDocument(file, line, text[begin:end])
        if not document.empty:
            yield document
        line += text.count("\n", start, end)
        start = end
        begin = separator.end() if separator else end
