"""dist/ and the Helm values of kube-prometheus-stack use the same names."""

from typing import Any

import pytest
import yaml

from constructs_lib.monitoring import stack
from constructs_lib.names import MONITORING_NAMESPACE, PROMETHEUS_POD_LABELS
from constructs_lib.platform import Monitoring
from tests.example_platform import example_dist
from tests.kube import Object
from tests.paths import ROOT

VALUES: dict[str, Any] = yaml.safe_load(
    (ROOT / "terraform" / "platform" / "values" / "kube-prometheus-stack.yaml").read_text()
)
OBJECTS: list[Object] = [
    each for path in sorted(example_dist().glob("*.yaml")) for each in yaml.safe_load_all(path.read_text())
]


def missing(wanted: Any, found: Any, at: str = "") -> list[str]:
    """Paths at which `found` lacks a wanted value; a list may have further items."""
    if isinstance(wanted, dict):
        return [
            each for key, value in wanted.items()
            for each in missing(value, found.get(key) if isinstance(found, dict) else None, f"{at}.{key}")
        ]  # fmt: skip
    if isinstance(wanted, list):
        return [f"{at}: {each}" for each in wanted if each not in (found or [])]
    return [] if wanted == found else [f"{at}: {wanted} != {found}"]


def test_missing_reports_differences() -> None:
    """The comparison that the next test relies on finds what is missing."""
    assert missing({"a": {"b": [1], "c": False}}, {"a": {"b": [1, 2], "c": False, "d": 1}}) == []
    assert missing({"a": {"b": [3], "c": False}}, {"a": {"b": [1]}}) == [".a.b: 3", ".a.c: False != None"]


def test_values_file_contains_the_required_values() -> None:
    """Selectors, intervals, sidecar, matcher strategy and inhibition rules."""
    assert missing(stack.helm_values(), VALUES) == []


def test_dashboard_has_the_label_of_the_sidecar() -> None:
    """The ConfigMap has the label that the values name."""
    sidecar = VALUES["grafana"]["sidecar"]["dashboards"]
    (config_map,) = [each for each in OBJECTS if each["kind"] == "ConfigMap"]
    assert config_map["metadata"]["labels"][sidecar["label"]] == sidecar["labelValue"]
    assert config_map["metadata"]["namespace"] == MONITORING_NAMESPACE


def test_network_policies_admit_prometheus() -> None:
    """Each tenant admits pods with the operator's labels from the monitoring namespace."""
    having = [{"key": key, "operator": "In", "values": [value]} for key, value in PROMETHEUS_POD_LABELS.items()]
    wanted = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING_NAMESPACE}},
        "podSelector": {"matchExpressions": having},
    }
    policies = [each for each in OBJECTS if each["kind"] == "NetworkPolicy"]
    for tenant in {each["metadata"]["namespace"] for each in policies}:
        peers = [peer for each in policies if each["metadata"]["namespace"] == tenant
                 for rule in each["spec"].get("ingress") or [] for peer in rule.get("from") or []]  # fmt: skip
        assert wanted in peers, tenant
    assert Monitoring().prometheus_labels == PROMETHEUS_POD_LABELS


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule"])
def test_objects_do_not_need_the_release_label(kind: str) -> None:
    """The selectors match everything, so no object has the chart's release label."""
    found = [each for each in OBJECTS if each["kind"] == kind]
    assert found
    assert not [each for each in found if "release" in each["metadata"]["labels"]]


def test_tenants_are_scraped_every_30_seconds_without_honoring_labels() -> None:
    """ServiceMonitors and Prometheus have the same interval, and a tenant cannot override the target's labels."""
    monitors = [each["spec"]["endpoints"] for each in OBJECTS if each["kind"] == "ServiceMonitor"]
    assert {endpoint["interval"] for endpoints in monitors for endpoint in endpoints} == {"30s"}
    assert VALUES["prometheus"]["prometheusSpec"]["scrapeInterval"] == "30s"
    assert not [endpoint for endpoints in monitors for endpoint in endpoints if endpoint.get("honorLabels")]
