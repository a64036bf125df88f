"""The checks of Prometheus, Alertmanager and the metrics API."""

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.preflight.finding import Status
from tests.recorded_cluster import Document
from tests.unit.tenantry.preflight.checks.difference import OPERATOR, RECEIVER, RIGHT, Case, answer, check


def _spec(kind: str, **fields: Any) -> Callable[[Document], object]:
    return lambda cluster: cluster["get"][f"{OPERATOR}/{kind}"]["items"][0]["spec"].update(fields)


CASES: list[Case] = [
    ("prometheus", answer(f"{OPERATOR}/prometheuses", {"items": []}), {}, {}, Status.WARNING, "no object", {}),
    ("prometheus", _spec("prometheuses", serviceMonitorSelector=None), {}, {}, Status.FAILED, "absent", {}),
    ("prometheus", _spec("prometheuses", ruleNamespaceSelector=None), {}, {}, Status.FAILED, "absent", {}),
    (
        "prometheus",
        _spec("prometheuses", serviceMonitorNamespaceSelector={"matchLabels": {"monitored": "yes"}}),
        {},
        {},
        Status.FAILED,
        "monitored=yes",
        {},
    ),
    (
        "prometheus",
        _spec("prometheuses", ruleSelector={"matchLabels": {"role": "rules"}}),
        {},
        {},
        Status.FAILED,
        "role=rules",
        {"monitoring.objectLabels": {"release": "prom", "role": "rules"}},
    ),
    (
        "prometheus",
        _spec("prometheuses", ruleSelector={"matchExpressions": [{"key": "role", "operator": "Exists"}]}),
        {},
        {},
        Status.FAILED,
        "role",
        {},
    ),
    (
        "prometheus",
        lambda _: None,
        {"monitoring": {"namespace": "monitoring", "objectLabels": {"release": "prom"}}},
        {},
        Status.FAILED,
        "observability",
        {"monitoring.namespace": "observability"},
    ),
    (
        "prometheus",
        answer("/api/v1/namespaces/observability/pods", {"items": [{"metadata": {"labels": {"app": "prometheus"}}}]}),
        {},
        {},
        Status.FAILED,
        "",
        {"monitoring.prometheusLabels": {"operator.prometheus.io/name": "prom-kube-prometheus-stack-prometheus"}},
    ),
    (
        "prometheus",
        lambda _: None,
        {"monitoring": {**RIGHT["monitoring"], "prometheusLabels": {"app": "other"}}},
        {},
        Status.FAILED,
        "",
        {"monitoring.prometheusLabels": {"app.kubernetes.io/name": "prometheus"}},
    ),
    ("alertmanager", _spec("alertmanagers", alertmanagerConfigSelector=None), {}, {}, Status.OK, "not needed", {}),
    (
        "alertmanager",
        _spec("alertmanagers", alertmanagerConfigSelector=None),
        {},
        {"receiver": RECEIVER},
        Status.FAILED,
        "none selects",
        {},
    ),
    (
        "alertmanager",
        _spec("alertmanagers", alertmanagerConfigSelector={"matchLabels": {"config": "yes"}}),
        {},
        {"receiver": RECEIVER},
        Status.FAILED,
        "none selects",
        {"monitoring.objectLabels": {"release": "prom", "config": "yes"}},
    ),
    (
        "metrics",
        answer("/apis/metrics.k8s.io/v1beta1", {"error": "ServiceUnavailable"}),
        {},
        {},
        Status.FAILED,
        "does not answer",
        {},
    ),
    ("metrics", answer("/apis/metrics.k8s.io/v1beta1/nodes", {"items": []}), {}, {}, Status.WARNING, "no node", {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)
