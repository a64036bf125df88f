#!/usr/bin/env python3
"""Write the output of the commands that docs/audit.md shows, and the JSON Schemas of reports and contracts."""

import re
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from tenantry.cli import app

DOCUMENT: Final = Path("docs/audit.md")
SCHEMA: Final = Path("docs/audit.schema.json")
CONTRACT_SCHEMA: Final = Path("docs/isolation-contract.schema.json")
EXAMPLES: Final = re.compile(r"^```\n\$ tenantry (audit .+)\n(?:.*\n)*?```$", re.MULTILINE)


def with_output(document: str) -> str:
    """A document in which each example shows what its command prints now."""
    return EXAMPLES.sub(lambda found: f"```\n$ tenantry {found[1]}\n{_printed(found[1])}```", document)


def _printed(command: str) -> str:
    done = CliRunner().invoke(app, command.split())
    if done.exit_code != 0:
        raise SystemExit(f"tenantry {command} failed: {done.output}")
    return done.stdout


if __name__ == "__main__":
    DOCUMENT.write_text(with_output(DOCUMENT.read_text()))
    SCHEMA.write_text(_printed("audit schema"))
    CONTRACT_SCHEMA.write_text(_printed("audit schema --contract"))
