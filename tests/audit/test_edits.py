"""Every small edit that opens a way between tenants is reported with its line, and no harmless edit is."""

from pathlib import Path

import pytest

from audit import read
from audit.changes import Effect, changes
from audit.changes.change import SECURITY, Change
from audit.contract import contract_findings, loaded
from constructs_lib.platform import Platform
from tenantry.isolation import contract_of
from tests.audit.edits import HARMLESS, OPENINGS, Edit
from tests.example_platform import EXAMPLE, example_dist

CONTRACT = loaded(contract_of(Platform.load(EXAMPLE)), "example")
SERIOUS = {"critical", "high"}


def serious(folder: Path) -> list[Change]:
    """What an edit makes possible, as far as a reviewer has to stop."""
    sides = read.side(str(example_dist()), []), read.side(str(folder), [])
    found = changes(read.documents(sides[0]), read.documents(sides[1]), sides, "default")
    return [each for each in found if each.area in SECURITY and each.risk in SERIOUS and each.effect is not Effect.LOST]


@pytest.mark.parametrize("edit", OPENINGS, ids=[each.what for each in OPENINGS])
def test_an_opening_is_reported_with_its_line(edit: Edit, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    lines = edit.apply(example_dist(), folder)
    found = serious(folder)
    assert found, "nothing is reported"
    places = {line for each in found for file, line in each.places if file == str(folder / edit.file)}
    assert places & lines, (lines, found)


@pytest.mark.parametrize("edit", HARMLESS, ids=[each.what for each in HARMLESS])
def test_a_harmless_edit_is_not_reported(edit: Edit, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    edit.apply(example_dist(), folder)
    assert serious(folder) == []


@pytest.mark.parametrize("edit", OPENINGS, ids=[each.what for each in OPENINGS])
def test_an_opening_breaks_the_contract_at_its_line(edit: Edit, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    lines = edit.apply(example_dist(), folder)
    found = list(contract_findings(CONTRACT, read.objects([folder], details=True)))
    if edit.rules_only:
        assert found == []  # the content of alert rules is not part of the contract; `diff` shows it
        return
    places = {each.line for each in found if each.file == str(folder / edit.file)}
    assert places & lines, (lines, found)


@pytest.mark.parametrize("edit", HARMLESS, ids=[each.what for each in HARMLESS])
def test_a_harmless_edit_keeps_the_contract(edit: Edit, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    edit.apply(example_dist(), folder)
    assert list(contract_findings(CONTRACT, read.objects([folder], details=True))) == []


def test_there_are_twenty_of_each() -> None:
    assert len(OPENINGS) >= 20
    assert len(HARMLESS) >= 20
