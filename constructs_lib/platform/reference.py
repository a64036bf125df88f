"""Writes `docs/platform-yaml.md`, the reference of every key: `python -m constructs_lib.platform.reference FILE`.

The page is generated from the schema, so that each default and description has one home: the model.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from constructs_lib.platform.schema import platform_schema

_HEAD = """\
# platform.yaml

Every key of the file, with its default and meaning. `make schema` generates this page from the model in
`constructs_lib/platform/`; editors with JSON Schema support show the same texts (`platform.schema.json`).

A tenant can set every key that `defaults` can set. A key that a tenant does not set comes from `defaults`, and then
from the defaults on this page. Mappings are merged key by key; lists are replaced as a whole. Unknown keys are refused.
"""
_TITLES = {"": "The file", "tenants[]": "tenants[], and every key of defaults"}


def platform_reference() -> str:
    """The page."""
    schema = platform_schema()
    return "\n".join([_HEAD, *_sections(schema, schema, "")])


def _sections(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[str]:
    """The section of a mapping's keys, then those of the mappings in it."""
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
    """The mappings that a value can be, or can be a list of."""
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
