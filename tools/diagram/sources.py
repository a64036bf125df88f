"""Read the sources of the picture: YAML and Terraform files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import yaml


def documents(file: Path) -> Iterator[dict[str, Any]]:
    """The documents of a YAML file."""
    return (document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document)


def _hcl(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8") as text:
        document: dict[str, Any] = _unquoted(hcl2.load(text))
    return document


def _unquoted(node: Any) -> Any:
    """The parser keeps the quotes of strings and of blocks' names."""
    if isinstance(node, dict):
        return {_unquoted(key): _unquoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_unquoted(item) for item in node]
    return node[1:-1] if isinstance(node, str) and node[:1] == node[-1:] == '"' else node


def variable_defaults(file: Path) -> dict[str, Any]:
    """The defaults of a file's variables, by name."""
    return {name: body.get("default") for each in _hcl(file)["variable"] for name, body in each.items()}


def locals_of(file: Path) -> dict[str, Any]:
    """The local values of a file, by name; an expression is its text."""
    return {name: value for each in _hcl(file)["locals"] for name, value in each.items()}


def resource_name(file: Path, kind: str, label: str) -> str:
    """`metadata.name` of one Kubernetes resource; KeyError if there is no such resource."""
    for resource in _hcl(file)["resource"]:
        if label in resource.get(kind, {}):
            return str(resource[kind][label]["metadata"][0]["name"])
    raise KeyError(f"{file} has no resource {kind}.{label}")
