"""Reads YAML as plain data with the position of every key and value, for messages about a file."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

KeyPath = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, from 1."""
_DEPTH = 50


class BrokenYamlError(Exception):
    """Text that is not a single YAML document; `place` is where parsing failed."""

    def __init__(self, message: str, place: Place) -> None:
        self.place = place
        super().__init__(message)


@dataclass
class Document:
    """A YAML document.

    Args:
        data: mappings, lists and scalars; for a repeated key, its first value.
        keys: position of each key.
        values: position of each value.
        repeated: paths of keys that appear again in their mapping, with the position of each repetition.
    """

    data: Any = None
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    repeated: list[tuple[KeyPath, Place]] = field(default_factory=list)


def read(text: str) -> Document:
    """Read one YAML 1.2 document.

    Raises:
        BrokenYamlError: the text is not a YAML document.
    """
    loader = YAML(typ="safe", pure=True)
    document = Document()
    try:
        node = loader.compose(text)
        document.data = None if node is None else _data(loader, node, (), document)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise BrokenYamlError(str(error.problem or error.context), place) from error
    except (YAMLError, ValueError) as error:
        raise BrokenYamlError(" ".join(str(error).split()), (1, 1)) from error
    return document


def _data(loader: YAML, node: Node, path: KeyPath, document: Document) -> Any:
    """The plain value of a node; records its position in `document`."""
    document.values[path] = _place(node)
    if len(path) > _DEPTH:
        raise BrokenYamlError(f"it is nested more than {_DEPTH} levels deep, or an alias contains itself", _place(node))
    if isinstance(node, SequenceNode):
        return [_data(loader, item, (*path, index), document) for index, item in enumerate(node.value)]
    if not isinstance(node, MappingNode):
        return loader.constructor.construct_object(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in result:
            document.repeated.append(((*path, key), _place(key_node)))
            continue
        document.keys[*path, key] = _place(key_node)
        result[key] = _data(loader, value_node, (*path, key), document)
    return result


def _place(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
