#!/usr/bin/env python3
"""Write predicate and checksums of an in-toto statement as the two files that GitHub's attestation action reads.

Example: tools/statement_parts.py build/isolation/statement.json
"""

import json
import sys
from pathlib import Path


def write_parts(statement: Path) -> None:
    """Write predicate.json and subjects.sha256 beside a statement."""
    content = json.loads(statement.read_text("utf-8"))
    lines = [f"{each['digest']['sha256']}  {each['name']}\n" for each in content["subject"]]
    statement.with_name("predicate.json").write_text(json.dumps(content["predicate"], indent=2) + "\n", "utf-8")
    statement.with_name("subjects.sha256").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the file
        sys.exit("usage: tools/statement_parts.py STATEMENT")
    write_parts(Path(sys.argv[1]))
