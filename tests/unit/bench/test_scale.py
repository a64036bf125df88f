"""The report of `make bench-scale`."""

from pathlib import Path
from typing import Any

from bench.scale import SHOWN, draw, growth


def _row(tenants: int, cpu: float, memory: float) -> dict[str, Any]:
    return {"tenants": tenants, **{name: {"cpu_seconds": cpu, "memory_mib": memory} for name in SHOWN}}


def test_growth_is_what_a_further_tenant_costs_between_the_two_largest_sizes() -> None:
    """What every run costs, however few the tenants are, is not part of it."""
    found = growth([_row(1, 9.0, 90.0), _row(10, 2.0, 100.0), _row(110, 3.0, 200.0)])
    assert found["synth"] == {"cpu_milliseconds": 10.0, "kibibytes": 1024.0}
    assert set(found) == set(SHOWN)


def test_one_size_has_no_growth() -> None:
    assert growth([_row(10, 2.0, 100.0)]) == {}


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    rows = [_row(1, 1.0, 90.0), _row(10, 2.0, 100.0)]
    for name in ("a.svg", "b.svg"):
        draw(rows, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert SHOWN["apply"] in (tmp_path / "a.svg").read_text("utf-8")
