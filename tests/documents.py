"""The commands that the documentation prints."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.paths import ROOT

DOCUMENTS: Final = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("adopt", "models", "monitoring", "runbook", "terraform")),
    *sorted((ROOT / "docs" / "operations").glob("*.md")),
]
SHELLS: Final = {"", "sh", "bash", "console"}


def printed(document: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of each line of a shell block, and of each inline code."""
    yield from _read(document, inline=True)


def printed_in_blocks(document: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of each line of a shell block; a line that continues is joined with the next ones."""
    yield from _read(document, inline=False)


def _read(document: Path, *, inline: bool) -> Iterator[tuple[int, str]]:
    fence, kept, start = None, "", 0
    for number, text in enumerate(document.read_text().splitlines(), 1):
        if mark := re.match(r" *```(\w*)", text):
            fence = None if fence is not None else mark[1]
        elif fence is None:
            yield from ((number, code) for code in re.findall(r"`([^`]+)`", text) if inline)
        elif fence in SHELLS:
            start, kept = (start if kept else number), kept + text
            if kept.endswith(("\\", "|")):
                kept = kept.removesuffix("\\")
                continue
            yield start, kept
            kept = ""
