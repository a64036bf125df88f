"""The check of capacity."""

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.preflight.finding import Finding, Status
from tests.recorded_cluster import Document
from tests.unit.tenantry.preflight.checks.difference import answer, findings


def _nodes(change: Callable[[Document], object]) -> Callable[[Document], object]:
    def all_nodes(cluster: Document) -> None:
        for node in cluster["get"]["/api/v1/nodes"]["items"]:
            change(node)

    return all_nodes


def _capacity(change: Callable[[Document], object], settings: dict[str, Any] | None = None) -> Finding:
    (finding,) = findings("capacity", change, settings)
    return finding


def test_nodes_that_take_no_pods_do_not_count() -> None:
    for change in (
        lambda node: node["spec"].update(unschedulable=True),
        lambda node: node["spec"].update(taints=[{"key": "gpu", "effect": "NoSchedule"}]),
    ):
        finding = _capacity(_nodes(change))
        assert finding.status is Status.FAILED
        assert "0 nodes" in finding.found
    preferred = _capacity(_nodes(lambda node: node["spec"].update(taints=[{"effect": "PreferNoSchedule"}])))
    assert preferred.status is Status.OK


BUSY = {"requests": {"cpu": "3820m"}}
"""Leaves 100m of a node's CPU."""


def _running(
    namespace: str, phase: str = "Running", spec: dict[str, Any] | None = None
) -> Callable[[Document], object]:
    """A pod per node that leaves 100m of its CPU."""
    pods = [
        {
            "metadata": {"namespace": namespace},
            "spec": {"nodeName": node, **(spec or {"containers": [{"resources": BUSY}]})},
            "status": {"phase": phase},
        }
        for node in ("gke-pool-1", "gke-pool-2")
    ]
    return answer("/api/v1/pods", {"items": pods})


def test_pods_that_run_leave_less_unless_they_are_the_tenants_own() -> None:
    assert _capacity(_running("web")).status is Status.FAILED
    assert _capacity(_running("tenant-a")).status is Status.OK
    assert _capacity(_running("web", "Succeeded")).status is Status.OK


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"initContainers": [{"restartPolicy": "Always", "resources": BUSY}]}, Status.FAILED),
        ({"initContainers": [{"resources": BUSY}]}, Status.OK),
        ({"overhead": BUSY["requests"]}, Status.FAILED),
    ],
    ids=["a sidecar", "an init container", "overhead"],
)
def test_sidecars_and_overhead_of_running_pods_count(spec: dict[str, Any], status: Status) -> None:
    """Init containers have ended."""
    assert _capacity(_running("web", spec={"containers": [{}], **spec})).status is status


def test_a_cluster_that_holds_the_minimum_only_is_a_warning() -> None:
    small = _nodes(lambda node: node["status"]["allocatable"].update(cpu="800m"))
    finding = _capacity(small)
    assert finding.status is Status.WARNING
    assert "unschedulable: 0 pods at the minimum" in finding.found


@pytest.mark.parametrize(
    ("scheduling", "is_said"), [({"nodeSelector": {"pool": "models"}}, True), ({"priorityClass": "high"}, False)]
)
def test_it_is_said_that_a_tenants_choice_of_nodes_is_not_considered(scheduling: Any, is_said: bool) -> None:  # noqa: FBT001
    (finding,) = findings("capacity", tenant={"scheduling": scheduling})
    assert ("not considered: the node selectors" in finding.found) is is_said


def test_a_description_that_promises_more_than_the_nodes_is_corrected() -> None:
    described = {"profile": "gke", "workers": 2, "cpu": "8", "memory": "8Gi", "pods": 110}
    finding = _capacity(lambda _: None, {"cluster": described})
    assert finding.status is Status.WARNING
    assert {each.path: each.value for each in finding.settings} == {"platform.cluster.cpu": "3920m"}
    assert _capacity(lambda _: None, {"cluster": {**described, "cpu": "3"}}).settings == ()
