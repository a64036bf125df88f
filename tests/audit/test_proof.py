"""docs/audit-proof.md says what is counted now, as far as that takes no minutes."""

import json

from tests.audit import proof
from tests.audit.cyclonus_cases import GROUPS, number_of_cases, steps
from tests.paths import ROOT

PAGE = (ROOT / "docs/audit-proof.md").read_text("utf-8")
LIVE = json.loads(proof.LIVE.read_text("utf-8"))


def test_page_is_current() -> None:
    """Where this fails: make audit-proof."""
    cells = sum(len(step.cells) for group in GROUPS for step in steps(group))
    expected = [
        proof.row("sentences of the API text", "what follows from each", proof.sentences()),
        proof.row("cells of the end-to-end matrix", "`dist/`", proof.matrix()),
        proof.row("policy sets on a live cluster", "what was open", proof.of_live(LIVE)),
        f"| {number_of_cases()} cases of cyclonus | its truth tables | {cells:,} |",
        proof.live_run(LIVE),
        proof.faults(LIVE),
        proof.mistakes(),
        proof.of_api(),
    ]
    assert [each for each in expected if each not in PAGE] == []


def test_page_has_no_difference_to_report() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ") and line.endswith(" |")]
    numbers = [each[-2].strip() for each in rows if each[-2].strip().replace(",", "").isdigit()]
    assert len(numbers) == 5
    assert set(numbers) == {"0"}
