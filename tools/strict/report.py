"""`docs/strict.md`: which programs judge the manifests, and every accepted finding with its reason."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tools.strict.findings import Accepted
from tools.strict.programs import Program

_INTRODUCTION = """\
# Outside checks

`make strict` runs these programs, each in a pinned version. It fails on a finding that is neither fixed nor accepted
below, and on an exception that is no longer needed. `tools/strict/exceptions.yaml` contains the exceptions; `make
strict-report` generates this page from them.

| program | version | checks |
| --- | --- | --- |
"""


def report(programs: Sequence[Program], accepted: Sequence[Accepted]) -> str:
    """The page as Markdown."""
    lines = [f"| {each.name} | {each.version} | {each.checks} |" for each in programs]
    page = _INTRODUCTION + "\n".join(lines) + "\n\n## Accepted findings\n"
    by_reason = sorted(accepted, key=lambda each: each.reason)
    for reason, group in groupby(by_reason, key=lambda each: each.reason):
        checks = "\n- ".join(f"{each.program} `{each.check}` on `{each.object}`" for each in sorted(group, key=_order))
        page += f"\n{reason}\n\n- {checks}\n"
    return page


def _order(each: Accepted) -> tuple[str, str, str]:
    return each.program, each.check, each.object


def write_report(file: Path, programs: Sequence[Program], accepted: Sequence[Accepted]) -> None:
    """Write the page."""
    file.write_text(report(programs, accepted))
