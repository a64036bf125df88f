"""The index of the architecture decision records matches the records."""

import re

from tests.paths import ROOT

RECORDS = ROOT / "docs" / "adr"
SECTIONS = ["Status", "Context", "Decision", "Consequences", "Alternatives"]


def test_the_index_lists_every_record_by_its_title() -> None:
    titles = {}
    for record in sorted(RECORDS.glob("[0-9]*.md")):
        heading = re.match(r"# (\d+)\. (.+)\n", record.read_text())
        assert heading, f"{record.name} starts with '# NUMBER. Title'"
        assert record.name.startswith(f"{int(heading[1]):04}-")
        titles[record.name] = heading[2]
    listed = re.findall(r"^\d+\. \[(.+)\]\((.+)\)$", (RECORDS / "README.md").read_text(), re.MULTILINE)
    assert {file: title for title, file in listed} == titles


def test_every_record_has_the_same_sections() -> None:
    for record in sorted(RECORDS.glob("[0-9]*.md")):
        assert re.findall(r"^## (.+)$", record.read_text(), re.MULTILINE) == SECTIONS, record.name
