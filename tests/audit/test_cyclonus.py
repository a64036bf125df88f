"""The 230 cases of cyclonus: every cell of its truth tables, for the audit and for the reference engine."""

import pytest

from tests.audit.cyclonus_cases import ASSUMPTIONS, GROUPS, Cell, Step, number_of_cases, steps
from tests.audit.engines import ENGINES, Engine

STEPS = [pytest.param(step, id=f"{group}: {step.name}") for group in GROUPS for step in steps(group)]


def differences(step: Step, engine: Engine) -> list[Cell]:
    """Cells where an engine says something else than cyclonus."""
    return [
        cell
        for cell in step.cells
        if engine.verdict(cell.source, cell.destination, cell.port, cell.protocol) != cell.expected
    ]


def test_all_cases_are_here() -> None:
    assert number_of_cases() == 230
    assert sum(len(step.cells) for group in GROUPS for step in steps(group)) == 123_669


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ENGINES)
def test_equals_the_truth_table_except_where_a_pod_reaches_itself(name: str, step: Step) -> None:
    """The only differences: cyclonus blocks a pod from itself; the API says "a pod cannot block access to itself"."""
    engine = ENGINES[name](step.objects, ASSUMPTIONS)
    found = differences(step, engine)
    assert not [cell for cell in found if not cell.is_loopback]
    assert {cell.expected for cell in found} <= {"denied"}
    assert all(engine.verdict(cell.source, cell.source, cell.port, cell.protocol) == "allowed" for cell in found)
