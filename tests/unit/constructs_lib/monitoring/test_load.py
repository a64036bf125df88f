"""The model of Prometheus's load, against the rules and the manifests that it stands for."""

from typing import Any

import pytest

from constructs_lib.monitoring.load import BASE_BYTES, FEATURES, LABELS, load_of, recorded_series
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.monitoring.scraping import series_per_pod
from constructs_lib.platform import Platform
from constructs_lib.platform.alerts import AlertSettings


def platform(*tenants: dict[str, Any]) -> Platform:
    named = [{"name": f"t{index}", "model": f"s3://models/t{index}/m"} | each for index, each in enumerate(tenants)]
    return Platform.model_validate(
        {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": "a/b:1"}, "tenants": named}
    )


def test_recorded_series_are_those_of_the_rules() -> None:
    settings = AlertSettings(quota_ratio=0.5)
    groups = rule_groups("tenant-a", "service", "deployment", "hpa", settings)
    records = [rule["record"] for group in groups for rule in group["rules"] if "record" in rule]
    assert len(set(records)) == len(records) == recorded_series()[0]


def test_the_minimum_and_the_maximum_count_pods_and_the_surge() -> None:
    tenants = platform({"autoscaling": {"minReplicas": 3, "maxReplicas": 7}, "rollout": {"surge": 2}}, {}).tenants
    recorded = 2 * recorded_series()[0]
    assert load_of(tenants, maximum=False).series == (3 + 2) * series_per_pod(LABELS) + recorded
    assert load_of(tenants, maximum=True).series == (7 + 2 + 10 + 1) * series_per_pod(LABELS) + recorded


def test_memory_and_disk_grow_with_the_tenants() -> None:
    one, ten = (load_of(platform(*[{}] * count).tenants, maximum=True) for count in (1, 10))
    assert ten.memory - BASE_BYTES == 10 * (one.memory - BASE_BYTES)
    assert ten.disk_per_day == pytest.approx(10 * one.disk_per_day, abs=10)
    assert ten.samples_per_second == pytest.approx(10 * one.samples_per_second)


def test_a_pods_samples_arrive_at_the_scrape_interval() -> None:
    tenants = platform({"autoscaling": {"minReplicas": 2, "maxReplicas": 2}}).tenants
    pods = load_of(tenants, maximum=False).samples_per_second - recorded_series()[1]
    assert pods == pytest.approx(2 * series_per_pod(LABELS) / 30)


def test_the_features_of_an_onnx_model_count() -> None:
    """A model of records has series per feature where a model of texts has those of its signals."""
    text, onnx = (load_of(platform({"runtime": runtime}).tenants, maximum=False).series for runtime in ("text", "onnx"))
    assert text == 2 * series_per_pod(LABELS) + recorded_series()[0]
    assert onnx == 2 * series_per_pod(LABELS, runtime="onnx", features=FEATURES) + recorded_series()[0]
    assert onnx > text
