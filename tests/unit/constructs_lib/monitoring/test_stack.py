"""dist/ and the Helm values of kube-prometheus-stack agree on every name that must match."""

from typing import Any

import pytest
import yaml

from constructs_lib.monitoring import stack
from constructs_lib.names import MONITORING_NAMESPACE, PROMETHEUS_POD_LABELS
from constructs_lib.platform import Monitoring
from tests.kube import Object
from tests.paths import ROOT

VALUES: dict[str, Any] = yaml.safe_load(
    (ROOT / "terraform" / "platform" / "values" / "kube-prometheus-stack.yaml").read_text()
)
OBJECTS: list[Object] = [
    each for path in sorted((ROOT / "dist").glob("*.yaml")) for each in yaml.safe_load_all(path.read_text())
]


def missing(wanted: Any, found: Any, at: str = "") -> list[str]:
    """Paths at which `found` lacks what is wanted; a list may hold more."""
    if isinstance(wanted, dict):
        return [
            each for key, value in wanted.items()
            for each in missing(value, found.get(key) if isinstance(found, dict) else None, f"{at}.{key}")
        ]  # fmt: skip
    if isinstance(wanted, list):
        return [f"{at}: {each}" for each in wanted if each not in (found or [])]
    return [] if wanted == found else [f"{at}: {wanted} != {found}"]


def test_missing_sees_a_difference() -> None:
    """The comparison itself has teeth."""
    assert missing({"a": {"b": [1], "c": False}}, {"a": {"b": [1, 2], "c": False, "d": 1}}) == []
    assert missing({"a": {"b": [3], "c": False}}, {"a": {"b": [1]}}) == [".a.b: 3", ".a.c: False != None"]


def test_values_hold_what_the_platform_relies_on() -> None:
    """Selectors, intervals, sidecar, routing strategy and inhibition."""
    assert missing(stack.helm_values(), VALUES) == []


def test_dashboard_is_what_the_sidecar_takes() -> None:
    """The ConfigMap has the label that the values name."""
    sidecar = VALUES["grafana"]["sidecar"]["dashboards"]
    (config_map,) = [each for each in OBJECTS if each["kind"] == "ConfigMap"]
    assert config_map["metadata"]["labels"][sidecar["label"]] == sidecar["labelValue"]
    assert config_map["metadata"]["namespace"] == MONITORING_NAMESPACE


def test_prometheus_is_let_in_by_the_labels_that_the_operator_gives() -> None:
    """Each tenant's NetworkPolicy names the monitoring namespace and Prometheus's pods."""
    wanted = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING_NAMESPACE}},
        "podSelector": {"matchLabels": PROMETHEUS_POD_LABELS},
    }
    policies = [each for each in OBJECTS if each["kind"] == "NetworkPolicy"]
    for tenant in {each["metadata"]["namespace"] for each in policies}:
        peers = [peer for each in policies if each["metadata"]["namespace"] == tenant
                 for rule in each["spec"].get("ingress") or [] for peer in rule.get("from") or []]  # fmt: skip
        assert wanted in peers, tenant
    assert Monitoring().prometheus_labels == PROMETHEUS_POD_LABELS


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule"])
def test_objects_need_no_label_of_the_charts(kind: str) -> None:
    """The values select everything, so no object carries the chart's release label."""
    found = [each for each in OBJECTS if each["kind"] == kind]
    assert found
    assert not [each for each in found if "release" in each["metadata"]["labels"]]


def test_tenants_are_scraped_as_often_as_the_values_say() -> None:
    """One interval, in the ServiceMonitors and in Prometheus, and labels that a tenant cannot forge."""
    monitors = [each["spec"]["endpoints"] for each in OBJECTS if each["kind"] == "ServiceMonitor"]
    assert {endpoint["interval"] for endpoints in monitors for endpoint in endpoints} == {"30s"}
    assert VALUES["prometheus"]["prometheusSpec"]["scrapeInterval"] == "30s"
    assert not [endpoint for endpoints in monitors for endpoint in endpoints if endpoint.get("honorLabels")]
