"""The benchmark of the audit: what it makes and how it judges growth."""

from pathlib import Path

from audit import read
from bench import audit


def test_a_crowd_holds_what_the_benchmark_says(tmp_path: Path) -> None:
    audit._crowd(3, tmp_path / "crowd")
    inventory = read.objects([tmp_path / "crowd"]).inventory
    assert len(inventory.workloads) == 3 * audit.WORKLOADS
    assert len(inventory.policies) == 3 * audit.WORKLOADS * audit.POLICIES


def test_growth_compares_the_cost_per_object_of_the_two_largest_sizes() -> None:
    rows = {
        "crowd-1": {"cpu_seconds": 9.0, "objects": 1},
        "crowd-100": {"cpu_seconds": 60.0, "objects": 100},
        "crowd-10": {"cpu_seconds": 3.0, "objects": 10},
    }
    assert audit._growth(rows, "crowd") == {"ratio": 2.0, "allowed": audit.GROWTH["crowd"]}
