#!/usr/bin/env python3
"""Write the table of the service's settings in docs/service.md."""

from pathlib import Path
from typing import Final

from inference import contract
from inference.settings import Settings

DOCUMENT: Final = Path("docs/service.md")
BEGIN: Final = "<!-- settings: make settings-table -->\n"
END: Final = "<!-- /settings -->\n"


def table() -> str:
    """The settings as Markdown: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "(required)" if field.is_required() else f"`{str(field.default).lower()}`"
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `{contract.ENV_PREFIX}{name.upper()}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def with_table(document: str) -> str:
    """Return `document` with the table between its markers."""
    before, _, rest = document.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
