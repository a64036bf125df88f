#!/usr/bin/env python3
"""Write what docs/audit.md shows of commands and of the benchmarks, and the JSON Schemas of reports and contracts."""

import re
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from audit.benchmarks import BENCHMARKS
from tenantry.cli import app

DOCUMENT: Final = Path("docs/audit.md")
SCHEMA: Final = Path("docs/audit.schema.json")
CONTRACT_SCHEMA: Final = Path("docs/isolation-contract.schema.json")
EXAMPLES: Final = re.compile(r"^```\n\$ tenantry (audit .+)\n(?:.*\n)*?```$", re.MULTILINE)


_TABLE: Final = re.compile(r"(?<=<!-- benchmarks -->\n).*?(?=<!-- /benchmarks -->)", re.DOTALL)


def with_output(document: str) -> str:
    """A document in which each example shows what its command prints now, and with the table of the benchmarks."""
    document = _TABLE.sub(lambda _found: benchmarks_table(), document)
    return EXAMPLES.sub(lambda found: f"```\n$ tenantry {found[1]}\n{_printed(found[1])}```", document)


def benchmarks_table() -> str:
    """The checks, with the names that other tools have for them."""
    lines = ["| check | in the suite | what must be the case | kube-linter | Kubescape | Checkov |", "|" + " --- |" * 6]
    for each in BENCHMARKS:
        others = (one or "-" for one in (each.kube_linter, each.kubescape, each.checkov))
        lines.append(f"| {' | '.join((f'`{each.name}`', each.suite_id, each.title, *others))} |")
    return "\n".join(lines) + "\n"


def _printed(command: str) -> str:
    done = CliRunner().invoke(app, command.split())
    if done.exit_code != 0:
        raise SystemExit(f"tenantry {command} failed: {done.output}")
    return done.stdout


if __name__ == "__main__":
    DOCUMENT.write_text(with_output(DOCUMENT.read_text()))
    SCHEMA.write_text(_printed("audit schema"))
    CONTRACT_SCHEMA.write_text(_printed("audit schema --contract"))
