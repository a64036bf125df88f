"""Changes without failed requests, under constant load through a real gateway over kept-alive connections."""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.access import host_name
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.gateway import HTTP, RealGateway
from tests.e2e.load import Load, Target
from tests.e2e.requirements import OTHER_NAMESPACE
from tests.e2e.stage import Stage

pytestmark = pytest.mark.promise("gateway")
RATE: Final = 120
LEAST: Final = 5_000


@pytest.fixture(scope="module")
def stage(
    cluster: LiveCluster, platform: PlatformUnderTest, gateway: RealGateway, evidence: Evidence
) -> Iterator[Stage]:
    """The first tenant, under load through the gateway for the duration of the events."""
    target = Target(host_name(platform.tenants[0]), HTTP, gateway.address)
    load = Load(cluster, OTHER_NAMESPACE, platform.image, "e2e-gateway-load", target=target)
    stage = Stage(cluster, platform, evidence, load=load, promise="gateway")
    load.stop()
    stage.settle()
    load.start(rate=RATE, connections=8, seconds=900, characters=100)
    stage.began = time.time()
    try:
        yield stage
    finally:
        load.stop()
        stage.settle()


def test_every_pod_is_replaced(stage: Stage) -> None:
    """A rolling update of the Deployment."""
    name = f"deployment/{workload(stage.tenant)}"

    def change() -> None:
        stage.cluster.kubectl.run("rollout", "restart", name, "-n", stage.tenant)

    before = {pod["metadata"]["name"] for pod in stage.pods()}
    stage.during("all pods replaced, behind the gateway", change)
    assert not before & {pod["metadata"]["name"] for pod in stage.pods()}


def test_a_pod_is_deleted(stage: Stage) -> None:
    """A pod ends by itself, as on a node that is drained."""
    pod = stage.cluster.ready_pods(stage.tenant)[0]["metadata"]["name"]
    stage.during("a pod deleted, behind the gateway", lambda: stage.cluster.delete("pod", pod, "-n", stage.tenant))


def test_enough_requests_were_counted(stage: Stage, evidence: Evidence) -> None:
    """No request failed between the events either."""
    end = max(time.time(), stage.began + LEAST / RATE * 1.02)
    stage.load.wait_for(end)
    window = stage.load.window(stage.began, end)
    evidence.figure("gateway", "from the first event to the last", str(window))
    assert window.requests >= LEAST
    assert window.failed == {}, str(window)
