"""Changes without failed requests, under constant load through the Service over kept-alive connections."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e import pods
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import MODEL, PlatformUnderTest, digest_in_use, load_image
from tests.e2e.evidence import Evidence
from tests.e2e.requirements import OTHER_NAMESPACE
from tests.e2e.stage import Stage

pytestmark = pytest.mark.promise("rollouts")
RATE: Final = 120
LEAST: Final = 20_000
EMPTY_DIGEST: Final = "0" * 64


@pytest.fixture(scope="module")
def stage(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> Iterator[Stage]:
    """The first tenant, under load for the duration of the events."""
    stage = Stage(cluster, platform, evidence)
    stage.load.stop()
    # On the store's node, which is never drained, so that one of the tenant's two pods is on another node.
    node = next((pod["spec"]["nodeName"] for pod in cluster.pods("minio")), "")
    stage.load.start(rate=RATE, connections=8, seconds=1500, characters=100, node=node)
    stage.began = time.time()
    try:
        yield stage
    finally:
        stage.load.stop()
        stage.apply()
        stage.settle()


def test_new_image(stage: Stage) -> None:
    """A rolling update to a new image."""
    image = _second_image(stage)
    stage.during("new image", lambda: stage.apply(image=image))
    found = {pod["spec"]["containers"][0]["image"] for pod in stage.cluster.ready_pods(stage.tenant)}
    assert found == {image}
    stage.during("back to the first image", stage.apply)


def test_new_model(stage: Stage, tmp_path: Path) -> None:
    """A rolling update to a new model, by its digest."""
    model = tmp_path / "spam"
    shutil.copytree(MODEL, model)
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    manifest["data"]["source"] += " (published again)"
    (model / "manifest.json").write_text(json.dumps(manifest, sort_keys=True), "utf-8")
    assert stage.platform.store is not None
    digest = stage.platform.store.publish(model, [stage.tenant])
    assert digest != stage.platform.digest
    stage.during("new model", lambda: stage.apply(digest=digest))
    assert digest_in_use(stage.cluster, stage.tenant) == digest
    stage.during("back to the first model", stage.apply)


def test_bad_image(stage: Stage) -> None:
    """With an image that does not exist, the old pods continue, and the rollout is reported as stuck."""

    def change() -> None:
        stage.apply(image="ml-inference-service:no-such-tag")
        stage.wait_for_bad_pod("ImagePull")
        stage.check_old_pods_continue()
        stage.apply()

    stage.during("bad image, and rollback", change)


def test_bad_digest(stage: Stage) -> None:
    """With a model that does not exist, the new pod reports it in one line, and the old pods continue."""

    def change() -> None:
        stage.apply(digest=EMPTY_DIGEST)
        bad = stage.wait_for_bad_pod("CrashLoopBackOff")
        said = stage.cluster.kubectl.run("logs", "-n", stage.tenant, bad["metadata"]["name"], "--previous")
        assert EMPTY_DIGEST[:12] in said
        assert "Traceback" not in said
        stage.check_old_pods_continue()
        stage.apply()

    stage.during("bad model digest, and rollback", change)


def test_pod_deleted(stage: Stage) -> None:
    """A pod is deleted."""
    pod = stage.cluster.ready_pods(stage.tenant)[0]["metadata"]["name"]
    stage.during("a pod deleted", lambda: stage.cluster.delete("pod", pod, "-n", stage.tenant))


def test_node_evicted(stage: Stage) -> None:
    """The tenant's pods on a node are evicted; with DISPOSABLE=1 the node is drained."""
    kubectl = stage.cluster.kubectl
    spare = _spare_node(stage) if os.environ.get("DISPOSABLE") == "1" else ""
    node = spare or stage.cluster.ready_pods(stage.tenant)[0]["spec"]["nodeName"]
    selector = () if spare else (f"--pod-selector={stage.selector}",)
    options = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=180s")

    def change() -> None:
        try:
            kubectl.run("drain", node, *options, *selector)
        finally:
            kubectl.run("uncordon", node)

    stage.during("a node drained" if spare else "the tenant's pods on a node evicted", change)


def test_scale_down(stage: Stage) -> None:
    """The autoscaler removes pods; the test shortens its stabilization window."""
    name = f"hpa/{workload(stage.tenant)}"
    cluster = stage.cluster

    def change() -> None:
        cluster.patch(stage.tenant, name, {"spec": {"minReplicas": 4}})
        cluster.wait("four pods", lambda: "" if len(cluster.ready_pods(stage.tenant)) >= 4 else "fewer", seconds=120)
        down = {"scaleDown": {"stabilizationWindowSeconds": 0}}
        cluster.patch(stage.tenant, name, {"spec": {"minReplicas": 2, "behavior": down}})
        cluster.wait("two pods", lambda: "" if len(stage.pods()) <= 2 else "more", seconds=180)

    try:
        stage.during("up to four pods and down to two", change)
    finally:
        stage.apply()


def test_killed_container(stage: Stage) -> None:
    """After SIGKILL, requests on open connections are lost; their number is reported."""
    pod = stage.cluster.ready_pods(stage.tenant)[0]
    name = pod["metadata"]["name"]
    killer = pods.killer(OTHER_NAMESPACE, image=stage.platform.image, node=pod["spec"]["nodeName"])
    stage.cluster.apply(killer)
    stage.cluster.wait_for_pods(OTHER_NAMESPACE, [killer["metadata"]["name"]])

    def change() -> None:
        answer = stage.cluster.python(OTHER_NAMESPACE, killer["metadata"]["name"], "kill", pod["metadata"]["uid"])
        assert answer["killed"] > 0
        stage.cluster.wait("the restart", lambda: "" if restarts() > 0 else "none yet", seconds=60)

    def restarts() -> int:
        found = stage.cluster.kubectl.get("pod", name, "-n", stage.tenant)
        return int(found["status"]["containerStatuses"][0]["restartCount"])

    try:
        stage.during("a container killed (SIGKILL: failures are expected and reported)", change, may_fail=True)
    finally:
        stage.cluster.delete("pod", killer["metadata"]["name"], "-n", OTHER_NAMESPACE)


def test_enough_requests_were_counted(stage: Stage, evidence: Evidence) -> None:
    """There were at least 20,000 requests during and between the events."""
    end = max(time.time(), stage.began + LEAST / RATE * 1.02)
    stage.load.wait_for(end)
    window = stage.load.window(stage.began, end)
    evidence.figure("rollouts", "from the first event to the last", str(window))
    assert window.requests >= LEAST


def _second_image(stage: Stage) -> str:
    """The same image under another name, on the nodes: what matters is that the Deployment sees a new one."""
    image = f"{stage.platform.image}-again"
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "tag", stage.platform.image, image], capture_output=True, check=False).returncode
    ):
        pytest.skip("there is no Docker Engine here to give the image a second name")
    load_image(stage.cluster, image, build=False)
    return image


def _spare_node(stage: Stage) -> str:
    """A node with a pod of the tenant that can be drained without an effect on this stage; empty if there is none.

    A drain must not remove the store, whose emptyDir would be lost, the only DNS server, the autoscaler's metrics or
    the load generator. It may remove monitoring, which was tested before.
    """
    kept = [*stage.cluster.pods("minio"), *stage.cluster.pods("kube-system")]
    taken = {pod["spec"]["nodeName"] for pod in kept}
    taken.add(stage.cluster.kubectl.get("pod", stage.load.name, "-n", stage.load.namespace)["spec"]["nodeName"])
    nodes = {str(pod["spec"]["nodeName"]) for pod in stage.cluster.ready_pods(stage.tenant)}
    return next(iter(sorted(nodes - taken)), "")
