"""Histograms, compiled and in Python."""

import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import contract
from inference.model.classifier import compiled_scorer
from inference.serving.distribution import Distribution, Histogram, histogram

Make = Callable[[Sequence[float]], Histogram]


@pytest.fixture(params=[Distribution, histogram], ids=["python", "fastest"], scope="module")
def make(request: pytest.FixtureRequest) -> Make:
    """What makes a histogram: the reference, and what the service uses."""
    chosen: Make = request.param
    return chosen


def test_a_bound_counts_itself_in(make: Make) -> None:
    """`le` means at most, and reading changes nothing."""
    counts = make((1, 2))
    for number in (3, 0.5, 1, 1.5):
        counts.add(number)
    for _ in range(2):
        assert counts.read() == ([("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)], 6)
    counts.add(2)
    assert counts.read() == ([("1.0", 2.0), ("2.0", 4.0), ("+Inf", 5.0)], 8)


@pytest.mark.parametrize("bounds", [contract.LATENCY_BUCKETS, contract.RATIO_BUCKETS, contract.LENGTH_BUCKETS])
@given(values=st.lists(st.floats(-1e3, 1e3) | st.sampled_from(contract.LATENCY_BUCKETS)))
def test_counts_like_prometheus(make: Make, bounds: tuple[float, ...], values: list[float]) -> None:
    """Each bucket has as many values as are at most its bound."""
    counts = make(bounds)
    for value in values:
        counts.add(value)
    buckets, total = counts.read()
    assert buckets == [
        *((str(float(bound)), sum(value <= bound for value in values)) for bound in bounds),
        ("+Inf", len(values)),
    ]
    assert total == pytest.approx(sum(values), abs=1e-6)


def test_is_compiled_wherever_the_scorer_is() -> None:
    """One build makes both: an extension that fails alone is not to be missed."""
    assert isinstance(histogram((1.0,)), Distribution) == (compiled_scorer() is None)


def test_python_takes_over_where_the_extension_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is slower without a compiler, and the same."""
    monkeypatch.setitem(sys.modules, "inference.serving._distribution", None)
    monkeypatch.delattr("inference.serving._distribution", raising=False)
    assert isinstance(histogram((1.0,)), Distribution)
