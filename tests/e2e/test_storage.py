"""Disk space of the nodes: a pod that writes more than its limit is evicted, and the others keep serving."""

import json
import time

import pytest

from tests.e2e import pods
from tests.e2e.cluster import INSIDE, LiveCluster
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence

FILLER = "e2e-filler"
MEBIBYTES = 320
"""More than the limit that the LimitRange sets for a pod without one of its own: 256Mi."""


@pytest.mark.promise("fairness")
def test_a_pod_that_fills_the_disk_is_evicted(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The pod sets no limit; the namespace's default applies, and no pod of the service restarts."""
    tenant = platform.tenants[0]
    pod = pods.restricted_pod(FILLER, namespace=tenant, image=platform.image)
    container = pod["spec"]["containers"][0]
    container["command"] = ["python", "-c", (INSIDE / "fill.py").read_text("utf-8"), json.dumps(MEBIBYTES)]
    container["resources"]["limits"]["memory"] = "512Mi"  # the page cache of what it writes counts
    container["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - the pod's own volume
    pod["spec"] |= {"restartPolicy": "Never", "volumes": [{"name": "tmp", "emptyDir": {}}]}
    serving = _restarts(cluster, tenant)
    began = time.monotonic()
    try:
        cluster.apply(pod)
        cluster.wait("the pod to be evicted", lambda: _not_evicted(cluster, tenant), seconds=240)
        status = cluster.kubectl.get("pod", FILLER, "-n", tenant)["status"]
    finally:
        cluster.delete("pod", FILLER, "-n", tenant)
    evidence.count("fairness", "pods that filled the disk")
    evidence.figure("fairness", "seconds until a pod that wrote 320Mi was evicted", round(time.monotonic() - began))
    assert "ephemeral local storage usage exceeds the total limit of containers 256Mi" in status["message"]
    assert _restarts(cluster, tenant) == serving


def _not_evicted(cluster: LiveCluster, tenant: str) -> str:
    status = cluster.kubectl.get("pod", FILLER, "-n", tenant)["status"]
    return "" if status.get("reason") == "Evicted" else f"its phase is {status['phase']}"


def _restarts(cluster: LiveCluster, tenant: str) -> dict[str, int]:
    return {
        pod["metadata"]["name"]: sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))
        for pod in cluster.ready_pods(tenant)
    }
