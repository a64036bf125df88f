"""Quantities as Kubernetes writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.platform._quantities import byte_count, cpu_text, memory_text, millicores


@pytest.mark.parametrize(("text", "value"), [("250m", 250), ("1", 1000), ("0.5", 500), ("1.25", 1250), ("0.001", 1)])
def test_cpu_is_read_in_millicores(text: str, value: int) -> None:
    assert millicores(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1024", 1024), ("1Ki", 1024), ("1k", 1000), ("512Mi", 2**29), ("0.5Gi", 2**29), ("1T", 10**12)]
)
def test_memory_is_read_in_bytes(text: str, value: int) -> None:
    assert byte_count(text) == value


@pytest.mark.parametrize("text", ["", "m", "-1", "1e3", "0.0001", "1 m", "500M"])
def test_rejects_an_invalid_cpu_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a CPU quantity"):
        millicores(text)


@pytest.mark.parametrize("text", ["", "Mi", "-1", "512MB", "1 Gi", "400m"])
def test_rejects_an_invalid_memory_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a memory quantity"):
        byte_count(text)


@given(st.integers(min_value=1, max_value=10**7))
def test_cpu_survives_a_round_trip(value: int) -> None:
    assert millicores(cpu_text(value)) == value


@given(st.integers(min_value=0, max_value=2**50))
def test_memory_survives_a_round_trip(value: int) -> None:
    assert byte_count(memory_text(value)) == value


def test_quantities_are_written_as_kubernetes_writes_them() -> None:
    assert [cpu_text(each) for each in (500, 2000, 12_500)] == ["500m", "2", "12500m"]
    assert [memory_text(each) for each in (2**29, 2**30, 1536 * 2**20, 1000)] == ["512Mi", "1Gi", "1536Mi", "1000"]
