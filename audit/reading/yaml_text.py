"""A YAML document to plain data, and the lines of its values.

Scalars resolve as in Kubernetes' own reader (YAML 1.1 without dates and base 60). Hostile documents are refused instead
of expanded: recursive anchors, aliases that multiply, nesting without end. The builder is a loop over libyaml's events,
because its composer recurses in C and ends the process on deep nesting.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import yaml

from audit.model.place import Path

MOST_VALUES: Final = 2_000_000
"""Most values that a document may have once its aliases are expanded."""
MOST_LEVELS: Final = 200
"""Deepest nesting; Kubernetes' own objects stay below 30."""


class YamlError(Exception):
    """A document that is not valid YAML, or is not safe to expand.

    Attributes:
        line: Line in the text, from 0.
    """

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


class _Frame:
    """An open collection while a document is built."""

    __slots__ = ("anchor", "key", "merges", "path", "value", "values_before")

    def __init__(self, value: Any, path: Path, anchor: str | None, values_before: int) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.values_before = values_before
        self.key: str | None = None
        self.merges: list[Any] = []


def parse(text: str, lines: dict[Path, int] | None = None) -> Any:
    """The data of a document, or None where it is empty.

    Args:
        text: One document.
        lines: Filled with the line of every value by its path, from 0, if given.

    Raises:
        YamlError: It is not valid, or not safe to expand.
    """
    builder = _Builder(lines)
    for event in _events(text):
        builder.add(event)
    return builder.root


def _events(text: str) -> Iterator[Any]:
    try:
        loader = yaml.CSafeLoader(text)
        while True:
            event = loader.get_event()
            yield event
            if type(event) is yaml.StreamEndEvent:
                return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(what, mark.line if mark else 0) from error
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        raise YamlError(str(error).splitlines()[0], text.count("\n", 0, position)) from error


class _Builder:
    def __init__(self, lines: dict[Path, int] | None) -> None:
        self.root: Any = None
        self._lines = lines
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._values = 0
        self._documents = 0

    def add(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._begin({}, event)
        elif kind is yaml.SequenceStartEvent:
            self._begin([], event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise YamlError("a second document begins without a line '---'", event.start_mark.line)

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            self._key(frame, event)
            return
        plain = event.implicit[0] or (event.tag or "").endswith((":int", ":bool", ":float", ":null"))
        value = resolve(event.value) if plain else event.value
        self._place(value, event.start_mark.line)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _key(self, frame: _Frame, event: Any) -> None:
        key = event.value
        line = event.start_mark.line
        if key in frame.value:
            raise YamlError(f"the key {_short(key)} appears twice in one mapping", line)
        frame.key = key
        if key != "<<":
            frame.value[key] = None
            if self._lines is not None:
                self._lines[(*frame.path, key)] = line
        if event.anchor:
            self._anchors[event.anchor] = (key, 1)

    def _begin(self, value: Any, event: Any) -> None:
        if len(self._stack) >= MOST_LEVELS:
            raise YamlError(f"nesting is deeper than {MOST_LEVELS} levels", event.start_mark.line)
        line = event.start_mark.line
        path = self._place(value, line)
        self._stack.append(_Frame(value, path, event.anchor, self._values))
        if event.anchor:
            self._open.add(event.anchor)

    def _end(self) -> None:
        frame = self._stack.pop()
        for merged in frame.merges:
            for key, value in merged.items():
                frame.value.setdefault(key, value)
        if frame.anchor:
            self._open.discard(frame.anchor)
            self._anchors[frame.anchor] = (frame.value, self._values - frame.values_before + 1)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line
        if event.anchor in self._open:
            raise YamlError(f"the alias *{event.anchor} is inside its own anchor", line)
        if event.anchor not in self._anchors:
            raise YamlError(f"the alias *{event.anchor} has no anchor", line)
        value, size = self._anchors[event.anchor]
        self._values += size
        if self._values > MOST_VALUES:
            raise YamlError(f"aliases expand to more than {MOST_VALUES:,} values", line)
        frame = self._stack[-1]
        if frame.key is None and type(frame.value) is dict:
            if not isinstance(value, str):
                raise YamlError("a key is not a string", line)
            frame.key = value
            return
        self._place(value, line)

    def _place(self, value: Any, line: int) -> Path:
        """Put a value where it belongs and return its path."""
        self._values += 1
        if not self._stack:
            self.root = value
            return ()
        frame = self._stack[-1]
        if type(frame.value) is list:
            path = (*frame.path, len(frame.value)) if self._lines is not None else ()
            frame.value.append(value)
            if self._lines is not None:
                self._lines[path] = line
            return path
        if frame.key is None:
            raise YamlError("a key is not a string", line)
        key, frame.key = frame.key, None
        if key == "<<":
            self._merge(frame, value, line)
            return frame.path
        frame.value[key] = value
        return (*frame.path, key) if self._lines is not None else ()

    def _merge(self, frame: _Frame, value: Any, line: int) -> None:
        merged = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in merged):
            raise YamlError("the merge key << takes mappings", line)
        frame.merges += merged


def _short(text: str) -> str:
    most = 60
    return repr(text if len(text) <= most else text[:most] + "...")


_NULL: Final = {"", "~", "null", "Null", "NULL"}
_TRUE: Final = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE: Final = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_INTEGER: Final = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


@lru_cache(maxsize=65536)
def resolve(text: str) -> Any:
    """The value of a plain scalar."""
    if text[:1].isalpha() or not text or text == "~":
        if text in _NULL:
            return None
        return True if text in _TRUE else False if text in _FALSE else text
    if len(text) > 64:  # noqa: PLR2004 - no number in a manifest is that long
        return text
    if _INTEGER.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
            return sign * int(digits, 8)
        return sign * int(digits, 0)
    except ValueError:
        return text
