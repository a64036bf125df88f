"""Warnings about the Prometheus that platform.yaml describes."""

from typing import Any

from constructs_lib.checks import warnings
from constructs_lib.platform import Platform
from constructs_lib.platform.checks import warnings as platform_warnings


def platform(prometheus: dict[str, Any] | None, tenants: int = 100) -> Platform:
    monitoring = {} if prometheus is None else {"monitoring": {"prometheus": prometheus}}
    named = [{"name": f"t{index}", "model": f"s3://models/t{index}/m"} for index in range(tenants)]
    settings = {"image": "a/b:1", **monitoring}
    return Platform.model_validate({"apiVersion": "tenantry.dev/v1alpha1", "platform": settings, "tenants": named})


def own(found: Platform) -> list[str]:
    return [each for each in warnings(found) if each not in platform_warnings(found)]


def test_nothing_is_said_of_an_unknown_prometheus() -> None:
    assert own(platform(None)) == []


def test_a_large_prometheus_is_enough() -> None:
    assert own(platform({"memory": "8Gi", "storage": "50Gi"})) == []


def test_too_little_memory_names_what_is_needed_and_where_to_raise_it() -> None:
    (warning,) = own(platform({"memory": "512Mi", "storage": "50Gi"}))
    assert warning == (
        "Prometheus needs 1049Mi of memory for the 101,400 series of the tenants at their maximum, but "
        "platform.monitoring.prometheus.memory is 512Mi: raise it; see 'tenantry plan'"
    )


def test_storage_counts_the_days_of_retention() -> None:
    assert own(platform({"memory": "8Gi", "storage": "10Gi", "retentionDays": 7})) == []
    (warning,) = own(platform({"memory": "8Gi", "storage": "10Gi", "retentionDays": 30}))
    assert "of storage" in warning
    assert "prometheus.storage is 10Gi" in warning


def test_samples_may_fill_four_fifths_of_the_storage() -> None:
    """Terraform has Prometheus delete its oldest blocks at 80 %: 7 days take 7,660 MiB, so 8Gi are too little."""
    (warning,) = own(platform({"memory": "8Gi", "storage": "8Gi", "retentionDays": 7}))
    assert warning.startswith("Prometheus needs 9575Mi of storage")


def test_other_warnings_come_first() -> None:
    found = platform({"memory": "512Mi", "storage": "50Gi"})
    assert warnings(found)[:-1] == platform_warnings(found)
    assert platform_warnings(found)
