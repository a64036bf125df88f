#!/usr/bin/env python3
"""Write the tables of the Terraform roots' READMEs: requirements, variables, resources and outputs.

    tools/terraform_docs.py            writes them
    tools/terraform_docs.py --check    fails where one is not up to date

The tables stand between two marker lines; all else in a README is people's.
"""

import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import hcl2

ROOTS = [Path(__file__).parents[1] / "terraform" / name for name in ("cluster", "platform")]
BEGIN = "<!-- tables: tools/terraform_docs.py writes them -->"
END = "<!-- end of tables -->"


def main(arguments: list[str]) -> int:
    """Write the tables, or only compare; returns the exit code."""
    check = arguments == ["--check"]
    if arguments and not check:
        sys.stderr.write(__doc__ or "")
        return 2
    stale = []
    for root in ROOTS:
        readme = root / "README.md"
        text = readme.read_text(encoding="utf-8")
        fresh = with_tables(text, tables(root))
        if fresh != text:
            stale.append(readme)
            if not check:
                readme.write_text(fresh, encoding="utf-8")
    names = ", ".join(f"terraform/{readme.parent.name}/README.md" for readme in stale)
    if stale and check:
        sys.stderr.write(f"{names}: the tables are out of date; write them with: make terraform-docs\n")
        return 1
    sys.stdout.write(f"wrote {names}\n" if stale else "the tables are up to date\n")
    return 0


def with_tables(text: str, fresh: str) -> str:
    """Return the text of a README with new tables between its markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"a README has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{fresh}\n{END}{after}"


def tables(root: Path) -> str:
    """All tables of one root, as Markdown."""
    blocks = read(root)
    terraform = blocks["terraform"][0]
    providers = terraform["required_providers"][0]
    sections = [
        (
            "Requirements",
            ("name", "version"),
            [("terraform or tofu", f"`{terraform['required_version']}`")]
            + [(f"[{p['source']}]({_registry(p['source'])})", f"`{p['version']}`") for _, p in _named(providers)],
        ),
        ("Modules", ("name", "source"), [(name, f"`{block['source']}`") for name, block in _all(blocks, "module")]),
        (
            "Resources",
            ("resource", "how many"),
            sorted(
                (f"`{kind}.{name}`", _how_many(block))
                for group in blocks.get("resource", [])
                for kind, named in _named(group)
                for name, block in _named(named)
            ),
        ),
        (
            "Variables",
            ("name", "what it says", "type", "default"),
            [
                (f"`{name}`", _cell(block["description"]), _cell(_type(block["type"])), _default(block))
                for name, block in _all(blocks, "variable")
            ],
        ),
        (
            "Outputs",
            ("name", "what it is"),
            [(f"`{name}`", _cell(block["description"])) for name, block in _all(blocks, "output")],
        ),
    ]
    return "\n".join(_table(title, head, rows) for title, head, rows in sections if rows)


def read(root: Path) -> dict[str, list[Any]]:
    """All blocks of a root's files, by their kind."""
    options = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
    blocks: dict[str, list[Any]] = {}
    for file in sorted(root.glob("*.tf")):
        with file.open(encoding="utf-8") as stream:
            for kind, found in hcl2.load(stream, serialization_options=options).items():
                blocks.setdefault(kind, []).extend(found)
    return blocks


def _all(blocks: dict[str, list[Any]], kind: str) -> list[tuple[str, dict[str, Any]]]:
    return sorted(pair for group in blocks.get(kind, []) for pair in _named(group))


def _named(group: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, block) for name, block in group.items() if not name.startswith("__")]


def _registry(source: str) -> str:
    return f"https://registry.terraform.io/providers/{source}/latest/docs"


def _how_many(block: dict[str, Any]) -> str:
    if "for_each" in block:
        return "one for each"
    return "one, or none" if "count" in block else "one"


def _default(block: dict[str, Any]) -> str:
    if "default" not in block:
        return "*(required)*"
    default = block["default"]
    if default is None:
        return "`null`"
    return "`{}`" if default == {} else f"`{default if not isinstance(default, bool) else str(default).lower()}`"


def _type(text: str) -> str:
    text = text.removeprefix("${").removesuffix("}")
    if not text.startswith("object("):
        return f"`{text}`"
    inner = re.sub(r"\s+", " ", text.removeprefix("object({").removesuffix("})").strip())
    return "object:\n" + "\n".join(f"`{field}`" for field in _fields(inner))


def _fields(text: str) -> list[str]:
    """Split the attributes of an object type at commas outside brackets and strings."""
    fields, depth, quoted, start = [], 0, False, 0
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in "([{") - (character in ")]}")
            if character == "," and depth == 0:
                fields.append(text[start:index].strip())
                start = index + 1
    return [*fields, text[start:].strip()]


def _cell(text: str) -> str:
    """Return a text as one table cell: without here-document markers, with line breaks, with escaped bars."""
    found = re.fullmatch(r"<<-(\w+)\n(.*)\n\s*\1", text.strip(), re.DOTALL)
    plain = dedent(found[2]) if found else text.replace('\\"', '"')
    return plain.strip().replace("|", "\\|").replace("\n", "<br>")


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"### {title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
