"""An edit of a few lines."""

import difflib
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """An edit of one file of `dist/`.

    Attributes:
        what: What it does, in words.
        after: A text; the edit is made after its first occurrence, as (after, old, new), one by one.
        changes: The replacements.
        file: The file.
        at: Text of the line that is reported, where it is not one that changes: the beginning of what a line ends in.
        rules_only: Whether it changes the content of alert rules alone.
    """

    what: str
    changes: tuple[tuple[str, str, str], ...]
    file: str = "tenant-b.k8s.yaml"
    at: str = ""
    rules_only: bool = False

    def apply(self, dist: Path, folder: Path) -> set[int]:
        """Copy `dist/` with the edit and return the lines that are new or around what was removed, from 1."""
        shutil.copytree(dist, folder)
        return self.change(folder)

    def change(self, folder: Path) -> set[int]:
        """Make the edit in a folder, and return the same lines."""
        path = folder / self.file
        before = text = path.read_text()
        for after, old, new in self.changes:
            start = text.index(after)
            assert old in text[start:], f"{self.what}: {old!r} is not in {self.file} after {after!r}"
            text = text[:start] + text[start:].replace(old, new, 1)
        path.write_text(text)
        lines: set[int] = set()
        matcher = difflib.SequenceMatcher(None, before.splitlines(), text.splitlines(), autojunk=False)
        for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
            if tag != "equal":
                lines |= set(range(new_start, new_end + 2))
                assert max(old_end - old_start, new_end - new_start) <= 3, self.what
        if self.at:
            first = text[: text.index(self.changes[0][0])].count("\n")
            numbered = enumerate(text.splitlines(), 1)
            return {number for number, content in numbered if content == self.at and number > first}
        return lines
