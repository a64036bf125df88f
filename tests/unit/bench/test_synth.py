"""The report about synthesis: medians of each case, the goals, and whether the cost is linear."""

import pytest

from bench.synth import CASES, GOALS, Figures, summarize


def figures(count: int, cpu_seconds: float, seconds: float = 0.5) -> Figures:
    cases = {
        f"{case}_{name}": value
        for case in CASES
        for name, value in (("seconds", seconds), ("cpu_seconds", cpu_seconds), ("memory_mib", 100.0))
    }
    return {**cases, "objects": 18 * count, "bytes": 45_000 * count}


def test_each_case_has_the_median_of_all_rounds() -> None:
    report = summarize({1: [figures(1, cpu) for cpu in (1.0, 9.0, 2.0)]})
    (row,) = report["tenants"]
    for case in CASES:
        assert row[case] == {"seconds": 0.5, "cpu_seconds": 2.0, "memory_mib": 100.0}
    assert (row["objects_per_tenant"], row["kilobytes_per_tenant"], row["rounds"]) == (18, 45.0, 3)


@pytest.mark.parametrize(("largest", "linear"), [(23.9, True), (24.1, False)])
def test_a_tenant_among_many_may_cost_little_more_than_one_among_few(largest: float, *, linear: bool) -> None:
    report = summarize({100: [figures(100, 2.0)], 1000: [figures(1000, largest)]})
    assert report["linear"] is linear


@pytest.mark.parametrize("missed", GOALS)
def test_a_goal_is_met_if_the_wall_time_is_within_it(missed: str) -> None:
    late = figures(1000, 2.0) | {f"{missed}_seconds": GOALS[missed] + 0.01}
    goals = summarize({1000: [late]})["goals"]
    assert {case: goal["met"] for case, goal in goals.items()} == {case: case != missed for case in GOALS}


def test_goals_are_those_of_a_thousand_tenants() -> None:
    assert summarize({10: [figures(10, 2.0)]})["goals"] == {}


def test_the_report_names_the_code_and_the_processor() -> None:
    assert {"commit", "processor", "cores", "python"} <= summarize({1: [figures(1, 1.0)]}).keys()
