"""Edits of a YAML text that leave every other byte as it was, comments included."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
"""Strings that need no quotation marks, if they are not one of these words:"""
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def root(text: str) -> Node | None:
    """The tree of a document, in which each node knows its place in the text."""
    found: Node | None = YAML().compose(text)
    return found


def items(node: Node | None) -> list[Node]:
    """The entries of a sequence; none for anything else."""
    return list(node.value) if isinstance(node, SequenceNode) else []


def value(node: Node | None, key: str) -> Node | None:
    """The value of a key of a mapping; None if the key is absent."""
    found = _pair(node, key)
    return found[1] if found else None


def _pair(node: Node | None, key: str) -> tuple[Node, Node] | None:
    if not isinstance(node, MappingNode):
        return None
    return next(((name, found) for name, found in node.value if name.value == key), None)


def end(text: str, node: Node) -> int:
    """Where a node's text ends, without the comments and blank lines that follow it."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end(text, last[1] if isinstance(last, tuple) else last)
    start, stop = node.start_mark.index, node.end_mark.index
    return int(start + len(text[start:stop].rstrip()))  # a block's end is the next line's beginning


def with_value(text: str, path: Sequence[str], new: Any) -> str:
    """A text in which a key of nested mappings has a value; mappings that do not exist are added.

    A value that is there is replaced as a whole, with the comments inside it.

    Args:
        text: the YAML document, a mapping.
        path: the key, as in `("platform", "dns", "port")`.
        new: the value, as plain data.
    """
    node = root(text)
    for depth, key in enumerate(path):
        pair, below = _pair(node, key), path[depth + 1 :]
        if pair is None:
            if not isinstance(node, MappingNode):
                raise TypeError("the document is not a mapping")
            return _added(text, node, key, _nested(below, new))
        if not below or not (isinstance(pair[1], MappingNode) and pair[1].value):
            return _replaced(text, *pair, flow_text(_nested(below, new)))
        node = pair[1]
    raise ValueError("the path is empty")


def _nested(path: Sequence[str], new: Any) -> Any:
    for key in reversed(path):
        new = {key: new}
    return new


def flow_text(given: Any) -> str:
    """Plain data as YAML, in one line."""
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{flow_text(key)}: {flow_text(each)}" for key, each in given.items()) + "}"
    if isinstance(given, list | tuple):
        return "[" + ", ".join(map(flow_text, given)) + "]"
    is_plain = isinstance(given, str) and _PLAIN.fullmatch(given) and given.lower() not in _WORDS
    return given if is_plain else json.dumps(given)


def _replaced(text: str, key: Node, node: Node, new: str) -> str:
    start, stop = node.start_mark.index, end(text, node)
    if start >= stop:  # nothing behind the colon
        start = stop = text.index(":", key.end_mark.index) + 1
        new = f" {new}"
    return text[:start] + new + text[stop:]


def _added(text: str, node: MappingNode, key: str, given: Any) -> str:
    if node.flow_style:
        at = node.end_mark.index - 1  # before the brace
        at = len(text[:at].rstrip())
        return f"{text[:at]}{', ' if node.value else ''}{key}: {flow_text(given)}{text[at:]}"
    last = end(text, node)
    line_end = text.find("\n", last)
    at = len(text) if line_end < 0 else line_end  # behind a comment on the last line
    return text[:at] + "".join(_lines(key, given, node.value[0][0].start_mark.column)) + text[at:]


def _lines(key: str, given: Any, indent: int) -> list[str]:
    """A key and its value; the keys of a mapping get a line of their own."""
    spaces = " " * indent
    if isinstance(given, Mapping) and given:
        return [f"\n{spaces}{key}:", *(f"\n{spaces}  {name}: {flow_text(each)}" for name, each in given.items())]
    return [f"\n{spaces}{key}: {flow_text(given)}"]
