"""Clusters with one hidden path from tenant-a to tenant-b each, and their repaired twins.

`base.yml` has two tenants and a team of the platform, isolated from each other. Each other file adds to it, or replaces
what it declares again. Its first lines say which steps the path has, as `RULE -> TARGET`, after `possible` if the input
does not decide one of them. At the end of a line, `# step N` says that the line is evidence of the step, and
`repair: TEXT` what stands there in the twin, which has no path.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent
_EXPECTED: Final = re.compile(r"^# (?P<rule>\S+) -> (?P<target>.+)$", re.MULTILINE)
_STEP: Final = re.compile(r"# step (\d)")
_REPAIR: Final = re.compile(r"^(?P<space> *).*?repair: (?P<text>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Planted:
    """A cluster with one path.

    Attributes:
        name: Its name.
        text: Its manifests, without those of the base.
    """

    name: str
    text: str

    @property
    def certain(self) -> bool:
        """Whether the input decides every step."""
        return not self.text.startswith("# possible")

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The rule and the target of each step."""
        return _EXPECTED.findall(self.text)

    @property
    def lines(self) -> dict[int, set[int]]:
        """The lines that are evidence of each step, from 1."""
        found: dict[int, set[int]] = {}
        for number, line in enumerate(self.text.splitlines(), 1):
            if step := _STEP.search(line):
                found.setdefault(int(step[1]), set()).add(number)
        return found

    @cached_property
    def repaired(self) -> str:
        """The manifests of the twin."""
        text, edits = _REPAIR.subn(r"\g<space>\g<text>", self.text)
        assert edits == 1, f"{self.name}: one line repairs a cluster, not {edits}"
        return text


def planted() -> list[Planted]:
    """Every cluster."""
    files = sorted(each for each in FOLDER.glob("*.yml") if each.name != "base.yml")
    return [Planted(each.stem, each.read_text("utf-8")) for each in files]


def base(text: str) -> Iterator[Any]:
    """The objects of the base that manifests do not declare again."""
    mine = {_identity(each) for each in yaml.safe_load_all(text) if each}
    for each in yaml.safe_load_all((FOLDER / "base.yml").read_text("utf-8")):
        if _identity(each) not in mine:
            yield each


def _identity(given: Any) -> tuple[Any, ...]:
    return given["kind"], given["metadata"].get("namespace"), given["metadata"]["name"]
