"""Terraform's files as plain values, for tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

from tests.paths import ROOT

TERRAFORM = ROOT / "terraform"
ROOTS = (TERRAFORM / "cluster", TERRAFORM / "platform")
MODULES = tuple(sorted(folder for folder in (TERRAFORM / "platform" / "modules").iterdir() if folder.is_dir()))
_OPTIONS = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)


def read(folder: Path) -> dict[str, list[Any]]:
    """All blocks of a folder's files, by their kind, as `variable` or `resource`."""
    blocks: dict[str, list[Any]] = {}
    for file in sorted(folder.glob("*.tf")):
        with file.open(encoding="utf-8") as stream:
            for kind, found in hcl2.load(stream, serialization_options=_OPTIONS).items():
                blocks.setdefault(kind, []).extend(found)
    return blocks


def named(blocks: dict[str, list[Any]], kind: str) -> dict[str, Any]:
    """The blocks of a kind that has one label, by that label."""
    return {name: block for group in blocks.get(kind, []) for name, block in group.items()}


def resources(blocks: dict[str, list[Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and body of each resource."""
    for group in blocks.get("resource", []):
        for kind, bodies in group.items():
            for name, body in bodies.items():
                yield kind, name, body


def source(folder: Path) -> str:
    """The text of all of a folder's files, without comments that fill a line."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.tf"))]
    return "\n".join(line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#"))
