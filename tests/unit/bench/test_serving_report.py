"""What the benchmark makes of its measurements: medians, ratios, goals, table, picture."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.serving.report import BEGIN, END, Summary, figures, picture, table, with_figures
from bench.serving.work import MAILS, ONE_MB, SHORT, TEN_KB, workloads

SYSTEMS = {
    "naive": 100.0,
    "mlserver": 250.0,
    "bentoml": 200.0,
    "tenantry": 5_000.0,
    "unmetered": 5_100.0,
    "keyed": 4_600.0,
    "constant": 10_000.0,
}
TITLES = {name: f"the {name}" for name in SYSTEMS}
RESULTS = Path("bench/results")


def sample(system: str, workload: str, rate: float, number: int, **more: float) -> dict[str, Any]:
    return {
        "system": system, "workload": workload, "connections": 32, "round": number, "requests_per_second": rate,
        "p50_ms": 3_200 / rate, "p99_ms": 32_000 / rate, "max_ms": 40_000 / rate, "cpu_us": 1e6 / rate, "errors": 0,
        **more,
    }  # fmt: skip


def result_of(samples: list[dict[str, Any]], starts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What a run writes."""
    return {
        "machine": {"processor": "a processor", "python": "3.11"},
        "rounds": 3,
        "systems": {name: {"title": TITLES[name], "peer": name in {"mlserver", "bentoml"}} for name in SYSTEMS},
        "workloads": {SHORT: {"mean_bytes": 100}, TEN_KB: {"mean_bytes": 10_000}, ONE_MB: {"mean_bytes": 1_000_000}},
        "left_out": {},
        "starts": starts,
        "samples": samples,
        **more,
    }


def summary_of(rates: dict[str, float], **more: float) -> Summary:
    """Three rounds: one as given, one slower, one faster."""
    samples = [
        sample(system, workload, rate * pace, number, **more)
        for number, pace in enumerate((1.0, 0.5, 3.0))
        for system, rate in rates.items()
        for workload in (SHORT, MAILS, ONE_MB)
    ]
    starts = [{"system": system, "round": 0, "start_seconds": 0.5, "memory_mb": 80.0} for system in rates]
    return Summary(result_of(samples, starts))


@pytest.fixture
def summary() -> Summary:
    return summary_of(SYSTEMS, health_max_ms=12.0)


def test_takes_the_median_of_the_rounds(summary: Summary) -> None:
    cell = summary.of("naive", SHORT)
    assert cell is not None
    assert (cell["requests_per_second"], cell["p99_ms"]) == (100.0, 320.0)


def test_ratios_are_of_medians(summary: Summary) -> None:
    assert summary.ratio("tenantry", "naive", SHORT) == 50.0
    assert summary.ratio("tenantry", "constant", SHORT) == 0.5


def test_has_no_ratio_to_what_was_not_measured_or_answered_nothing(summary: Summary) -> None:
    assert summary.ratio("tenantry", "naive", TEN_KB) is None
    assert summary.ratio("tenantry", "naive", SHORT, 1) is None
    assert summary_of(SYSTEMS | {"naive": 1e-9}).ratio("tenantry", "naive", SHORT) is not None
    silent = [sample("naive", SHORT, 1.0, 1) | {"requests_per_second": 0.0}, sample("tenantry", SHORT, 1.0, 1)]
    starts = [{"system": "tenantry", "start_seconds": 0.1, "memory_mb": 1.0}]
    assert Summary(result_of(silent, starts)).ratio("tenantry", "naive", SHORT) is None


def test_the_best_peer_is_the_fastest_of_the_peers_only(summary: Summary) -> None:
    assert summary.best_peer(SHORT) == "mlserver"
    assert summary_of({"naive": 1.0, "tenantry": 9.0}).best_peer(SHORT) is None


def test_judges_every_goal(summary: Summary) -> None:
    goals = {goal.name: (round(goal.found, 3), goal.reached) for goal in summary.goals()}
    assert goals == {
        "short: requests/s, times naive": (50.0, True),
        "short: requests/s, times mlserver": (20.0, True),
        "mails: requests/s, times naive": (50.0, True),
        "mails: requests/s, times mlserver": (20.0, True),
        "short: ratio to the constant answer": (0.5, True),
        "short: p99, share of naive's": (0.02, True),
        "short: share of a request's CPU that measuring costs": (0.02, True),
        "short: requests/s with keys and limits, share of those without": (0.92, True),
        "seconds from start to first answer": (0.5, True),
        "memory after load, MB": (80.0, True),
        "1 MB: longest wait of another request, ms": (12.0, True),
    }


def test_says_which_goals_are_missed() -> None:
    slow = summary_of(SYSTEMS | {"tenantry": 2_000.0}, health_max_ms=51.0)
    missed = {goal.name for goal in slow.goals() if not goal.reached}
    assert missed == {
        "short: requests/s, times naive", "short: requests/s, times mlserver", "mails: requests/s, times naive",
        "mails: requests/s, times mlserver", "short: ratio to the constant answer", "short: p99, share of naive's",
        "short: share of a request's CPU that measuring costs", "1 MB: longest wait of another request, ms",
    }  # fmt: skip
    assert table(slow).count("**missed**") == len(missed)


def test_the_longest_wait_is_that_of_all_rounds() -> None:
    """A median would hide the one round in which somebody waited."""
    samples = [sample("tenantry", ONE_MB, 50.0, number, health_max_ms=wait) for number, wait in enumerate((9, 70, 8))]
    starts = [{"system": "tenantry", "start_seconds": 0.1, "memory_mb": 1.0}]
    (goal,) = [goal for goal in Summary(result_of(samples, starts)).goals() if "longest wait" in goal.name]
    assert (goal.found, goal.reached) == (70, False)


def test_what_measuring_costs_is_compared_within_a_round() -> None:
    """Rounds on a slower machine and one spoiled round do not count as metrics."""
    rounds = [(20.0, 19.6), (40.0, 39.2), (30.0, 21.0), (21.0, 20.58), (20.0, 20.4)]
    samples = [
        sample(system, SHORT, 1.0, number) | {"cpu_us": cost}
        for number, pair in enumerate(rounds)
        for system, cost in zip(("tenantry", "unmetered"), pair, strict=True)
    ]
    starts = [{"system": name, "start_seconds": 0.1, "memory_mb": 1.0} for name in ("tenantry", "unmetered")]
    assert Summary(result_of(samples, starts)).cost_of_measuring() == pytest.approx(0.02)


@pytest.mark.parametrize("microseconds", [16_000, 31_000])
def test_long_texts_must_not_cost_more_a_byte(microseconds: float) -> None:
    """Time that grows faster than the text is a missed goal; the table shows it by the byte."""
    samples = [
        sample("tenantry", workload, 1.0, 1) | {"connections": 1, "cpu_us": cost}
        for workload, cost in ((TEN_KB, 200.0), (ONE_MB, microseconds))
    ]
    summary = Summary(result_of(samples, [{"system": "tenantry", "start_seconds": 0.1, "memory_mb": 1.0}]))
    (goal,) = [goal for goal in summary.goals() if "a byte" in goal.name]
    assert (goal.found, goal.reached) == (microseconds / 20_000, microseconds < 30_000)
    assert f"| the tenantry | 20.0 | {microseconds / 1_000:.1f} |" in table(summary).splitlines()


def test_says_who_was_left_out_and_why() -> None:
    """A peer that could not be installed is not silently missing."""
    left_out = {"mlserver": "mlserver cannot be installed:\npip ends with 1"}
    text = table(Summary(result_of([sample("naive", SHORT, 1.0, 1)], [], left_out=left_out)))
    assert text.endswith("\nthe mlserver is not in all rounds: mlserver cannot be installed: pip ends with 1\n")


def test_writes_the_main_figures_between_the_marks(summary: Summary) -> None:
    """What stood there before goes, what stands around stays."""
    document = with_figures(f"before\n{BEGIN}old\n{END}after\n", summary)
    assert document == f"before\n{BEGIN}{figures(summary)}{END}after\n"
    assert "| the tenantry | 5,000 | 50.0 | 6.4 | 5,000 | 50.0 | 6.4 | 0.50 | 80 |" in document.splitlines()
    assert "unmetered" not in document  # a way of measuring, not a system that one could choose
    with pytest.raises(ValueError, match="lacks"):
        with_figures("no marks", summary)


def test_what_is_published_is_what_was_measured() -> None:
    """Table and README are made of the results beside them; where there are none yet, the README shows none."""
    readme, results = Path("README.md").read_text(), RESULTS / "serving.json"
    if not results.exists():
        assert BEGIN + END in readme
        return
    measured = Summary(json.loads(results.read_text()))
    assert (RESULTS / "serving.md").read_text() == table(measured)
    assert with_figures(readme, measured) == readme


def test_judges_nothing_that_was_not_measured() -> None:
    assert [goal.name for goal in summary_of({"naive": 1.0}).goals()] == []


def test_table_has_a_line_a_system_and_a_section_a_workload(summary: Summary) -> None:
    text = table(summary)
    assert "| the tenantry | 5,000 | 50.0 | 0.64 | 6.40 | 200 | 0 |" in text.splitlines()
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### short, 32 connections", "### mails, 32 connections", "### 1 MB, 32 connections", "### Start and memory",
        "### Goals",
    ]  # fmt: skip


def test_picture_names_every_system_and_is_the_same_every_time(summary: Summary, tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        picture(summary, tmp_path / name)
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "other.svg").read_bytes()
    shown = "".join(ET.fromstring(one).itertext())  # noqa: S314 - made above
    assert all((title in shown) == (name not in {"unmetered", "keyed"}) for name, title in TITLES.items())
    assert "5,000  (50.0x)" in shown


def test_workloads_are_always_the_same_and_of_the_size_they_say() -> None:
    mails = [f"mail {number} " + "some words of a mail " * (number % 30 + 1) for number in range(200)]
    texts = workloads(mails)
    assert texts == workloads(mails)
    assert all(80 <= len(text) <= 120 for text in texts[SHORT])
    assert sorted(texts[MAILS]) == sorted(mails)
    assert all(len(text.encode()) == pytest.approx(10_000, abs=2) for text in texts[TEN_KB])
    assert all(len(text.encode()) == pytest.approx(1_000_000, abs=2) for text in texts[ONE_MB])
