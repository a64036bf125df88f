"""The panel about replicas and CPU, checked by promtool over series of kube-state-metrics and cAdvisor."""

from pathlib import Path

from constructs_lib.monitoring.panel_queries import filled
from constructs_lib.monitoring.panels import PANELS
from tests.rules import promtool
from tests.rules.series import OTHER_POD, POD, Series, autoscaler, cadvisor, counter, flat, kube

MINUTES = 10
(PANEL,) = [panel for panel in PANELS if panel.title == "Replicas and CPU"]


def _requests(pod: str) -> Series:
    metric = "kube_pod_container_resource_requests"
    where = {"pod": pod, "container": "inference", "node": "worker", "uid": pod}
    return {
        kube(metric, resource="cpu", unit="core", **where): flat(0.25, MINUTES),
        kube(metric, resource="memory", unit="byte", **where): flat(2**28, MINUTES),
    }


def _usage(pod: str) -> Series:
    """Uses half of the requested CPU, and is throttled in a tenth of its CPU periods."""
    return {
        cadvisor("container_cpu_usage_seconds_total", pod=pod, cpu="total"): counter(0.125 * 60, MINUTES),
        cadvisor("container_cpu_cfs_throttled_periods_total", pod=pod): counter(60, MINUTES),
        cadvisor("container_cpu_cfs_periods_total", pod=pod): counter(600, MINUTES),
    }


def test_queries_return_one_value_per_tenant(tmp_path: Path) -> None:
    """Replicas, CPU as a share of the request, and throttling over all pods of one tenant only."""
    desired = "kube_horizontalpodautoscaler_status_desired_replicas"
    series = (
        autoscaler(MINUTES, current=3)
        | {kube(desired, horizontalpodautoscaler="tenant-a-ml-inference"): flat(4, MINUTES)}
        | _requests(POD)
        | _requests(OTHER_POD)
        | _usage(POD)
        | _usage(OTHER_POD)
    )
    other_tenant = {name.replace("tenant-a", "tenant-b"): values for name, values in series.items()}
    values = (3, 4, 10, 0.5, 0.1)
    expected = {
        filled(query.expr, tenant="tenant-a"): {'{namespace="tenant-a"}': value}
        for query, value in zip(PANEL.queries, values, strict=True)
    }
    result = promtool.evaluate(expected, series | other_tenant, [MINUTES], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
