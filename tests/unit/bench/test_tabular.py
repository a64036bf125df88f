"""What the benchmark of a model of records makes of its measurements."""

from typing import Any

from bench.tabular.__main__ import table


def _result(rates: dict[str, float]) -> dict[str, Any]:
    titles = {"mlserver": "MLServer, adaptive batching", "bentoml": "BentoML, batching"}
    return {
        "machine": {"processor": "a processor", "python": "3.11", "commit": "abc"},
        "rounds": 3,
        "connections": 32,
        "systems": {name: {"title": titles.get(name, name), "peer": name in titles} for name in rates},
        "medians": {
            name: {"requests_per_second": rate, "p50_ms": 1, "p99_ms": 32_000 / rate, "cpu_us": 1e6 / rate, "errors": 0}
            for name, rate in rates.items()
        },
    }


def test_the_goals_compare_both_routes_with_the_better_peer() -> None:
    """Five times its requests, and a lower p99 than that of any peer."""
    text = table(_result({"mlserver": 1_000, "bentoml": 500, "tenantry": 5_100, "tenantry-infer": 4_900}))
    assert "| tenantry | 5,100 | 5.1 |" in text
    assert "x MLServer" in text
    assert "| tenantry: requests/s, times the best peer | at least 5 | 5.1 | reached |" in text
    assert "| tenantry-infer: requests/s, times the best peer | at least 5 | 4.9 | **missed** |" in text
    assert "| tenantry: p99 ms | below 32.0 | 6.3 | reached |" in text
