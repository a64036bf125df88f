"""`docs/platform-yaml.md`, every key of `platform.yaml`: `python -m constructs_lib.platform.reference FILE` writes it.

It is made from the schema, so that a default or a meaning stands in one place: the model.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from constructs_lib.platform.schema import platform_schema

_HEAD = """\
# platform.yaml

Every key of the file, its default and what it means. This page is written by `make schema` from the model in
`constructs_lib/platform/document.py`; editors that know JSON Schema show the same texts (`platform.schema.json`).

A tenant may say whatever `defaults` may; what it leaves out comes from there, and then from here. A mapping is
completed key by key, a list is replaced as a whole. Unknown keys are refused.
"""
_TITLES = {"": "The file", "tenants[]": "tenants[], and whatever defaults may say"}


def platform_reference() -> str:
    """The page."""
    schema = platform_schema()
    return "\n".join([_HEAD, *_sections(schema, schema, "")])


def _sections(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[str]:
    """A section for the keys of a mapping, then those of the mappings in it."""
    inherited = schema["$defs"]["Defaults"]["properties"] if path == "tenants[]" else {}
    properties = {key: value for key, value in node["properties"].items() if key not in inherited}
    required = node.get("required", ())
    yield f"## {_TITLES.get(path, path)}\n"
    yield from ["| key | default | meaning |", "| --- | --- | --- |"]
    below: list[tuple[str, dict[str, Any]]] = []
    for key, value in properties.items():
        parts = list(_mappings(schema, value, f"{path}.{key}".lstrip(".")))
        below += parts
        yield f"| `{key}` | {_default(value, parts, required=key in required)} | {_meaning(value)} |"
    yield ""
    for name, part in below:
        yield from _sections(schema, part, name)


def _mappings(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings with keys of their own that a value may be, or be a list of."""
    if "$ref" in node:
        target = schema["$defs"][node["$ref"].rpartition("/")[2]]
        kind = target.get("properties", {}).get("type", {}).get("const")
        yield (f"{path} of type {kind}" if kind else path), target
    for each in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _mappings(schema, each, path)
    if "items" in node:
        yield from _mappings(schema, node["items"], f"{path}[]")


def _default(value: dict[str, Any], parts: list[Any], *, required: bool) -> str:
    if required:
        return f"(required: `{value['const']}`)" if "const" in value else "(required)"
    default = value.get("default")
    if default is None:
        return "none"
    if isinstance(default, dict) and parts:
        return "below"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _meaning(value: dict[str, Any]) -> str:
    return " ".join(value.get("description", "").split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(platform_reference(), encoding="utf-8")
