"""What the benchmark makes of its measurements: medians, ratios, goals, table, picture."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.serving.report import Summary, picture, table
from bench.serving.work import MAILS, ONE_MB, SHORT, TEN_KB, workloads

SYSTEMS = {
    "naive": 100.0,
    "mlserver": 250.0,
    "bentoml": 200.0,
    "tenantry": 5_000.0,
    "unmetered": 5_100.0,
    "floor": 10_000.0,
}
TITLES = {name: f"the {name}" for name in SYSTEMS}


def sample(system: str, workload: str, rate: float, number: int, **more: float) -> dict[str, Any]:
    return {
        "system": system, "workload": workload, "connections": 32, "round": number, "requests_per_second": rate,
        "p50_ms": 3_200 / rate, "p99_ms": 32_000 / rate, "max_ms": 40_000 / rate, "cpu_us": 1e6 / rate, "errors": 0,
        **more,
    }  # fmt: skip


def summary_of(rates: dict[str, float], **more: float) -> Summary:
    """Three rounds: one as given, one slower, one faster."""
    samples = [
        sample(system, workload, rate * pace, number, **more)
        for number, pace in enumerate((1.0, 0.5, 3.0))
        for system, rate in rates.items()
        for workload in (SHORT, MAILS, ONE_MB)
    ]
    starts = [{"system": system, "round": 0, "start_seconds": 0.5, "memory_mb": 80.0} for system in rates]
    return Summary(samples, starts, ["mlserver", "bentoml"])


@pytest.fixture
def summary() -> Summary:
    return summary_of(SYSTEMS, health_max_ms=12.0)


def test_takes_the_median_of_the_rounds(summary: Summary) -> None:
    cell = summary.of("naive", SHORT)
    assert cell is not None
    assert (cell["requests_per_second"], cell["p99_ms"]) == (100.0, 320.0)


def test_ratios_are_of_medians(summary: Summary) -> None:
    assert summary.ratio("tenantry", "naive", SHORT) == 50.0
    assert summary.ratio("tenantry", "floor", SHORT) == 0.5


def test_has_no_ratio_to_what_was_not_measured_or_answered_nothing(summary: Summary) -> None:
    assert summary.ratio("tenantry", "naive", TEN_KB) is None
    assert summary.ratio("tenantry", "naive", SHORT, 1) is None
    assert summary_of(SYSTEMS | {"naive": 1e-9}).ratio("tenantry", "naive", SHORT) is not None
    silent = [sample("naive", SHORT, 1.0, 1) | {"requests_per_second": 0.0}, sample("tenantry", SHORT, 1.0, 1)]
    starts = [{"system": "tenantry", "start_seconds": 0.1, "memory_mb": 1.0}]
    assert Summary(silent, starts, []).ratio("tenantry", "naive", SHORT) is None


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
        "short: share of the floor": (0.5, True),
        "short: p99, share of naive's": (0.02, True),
        "short: share of requests that measuring costs": (0.02, True),
        "seconds from start to first answer": (0.5, True),
        "memory after load, MB": (80.0, True),
        "1 MB: longest wait of another request, ms": (12.0, True),
    }


def test_says_which_goals_are_missed() -> None:
    slow = summary_of(SYSTEMS | {"tenantry": 2_000.0}, health_max_ms=51.0)
    missed = {goal.name for goal in slow.goals() if not goal.reached}
    assert missed == {
        "short: requests/s, times naive", "short: requests/s, times mlserver", "mails: requests/s, times naive",
        "mails: requests/s, times mlserver", "short: share of the floor", "short: p99, share of naive's",
        "short: share of requests that measuring costs", "1 MB: longest wait of another request, ms",
    }  # fmt: skip
    assert table(slow, TITLES).count("**missed**") == len(missed)


def test_judges_nothing_that_was_not_measured() -> None:
    assert [goal.name for goal in summary_of({"naive": 1.0}).goals()] == []


def test_table_has_a_line_a_system_and_a_section_a_workload(summary: Summary) -> None:
    text = table(summary, TITLES)
    assert "| the tenantry | 5,000 | 50.0 | 0.64 | 6.40 | 200 | 0 |" in text.splitlines()
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### short, 32 connections", "### mails, 32 connections", "### 1 MB, 32 connections", "### Start and memory",
        "### Goals",
    ]  # fmt: skip


def test_picture_names_every_system_and_is_the_same_every_time(summary: Summary, tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        picture(summary, TITLES, tmp_path / name)
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "other.svg").read_bytes()
    shown = "".join(ET.fromstring(one).itertext())  # noqa: S314 - made above
    assert all((title in shown) == (name != "unmetered") for name, title in TITLES.items())
    assert "5,000  (50.0x)" in shown


def test_workloads_are_always_the_same_and_of_the_size_they_say() -> None:
    mails = [f"mail {number} " + "some words of a mail " * (number % 30 + 1) for number in range(200)]
    texts = workloads(mails)
    assert texts == workloads(mails)
    assert all(80 <= len(text) <= 120 for text in texts[SHORT])
    assert sorted(texts[MAILS]) == sorted(mails)
    assert all(len(text.encode()) == pytest.approx(10_000, abs=2) for text in texts[TEN_KB])
    assert all(len(text.encode()) == pytest.approx(1_000_000, abs=2) for text in texts[ONE_MB])
