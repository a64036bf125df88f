"""Changes without failed requests, under constant load through the Service over kept-alive connections."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e import pods
from tests.e2e.cluster import LiveCluster, is_ready, pod_state, service_labels, workload
from tests.e2e.deployment import DIST, MODEL, PlatformUnderTest, digest_in_use, load_image
from tests.e2e.evidence import Evidence
from tests.e2e.load import Load
from tests.e2e.requirements import OTHER_NAMESPACE

pytestmark = pytest.mark.promise("rollouts")
RATE: Final = 120
LEAST: Final = 20_000
EMPTY_DIGEST: Final = "0" * 64


class Stage:
    """A tenant under load, and the requests during each event."""

    def __init__(self, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
        self.cluster, self.platform, self.evidence = cluster, platform, evidence
        self.tenant = platform.tenants[0]
        self.load = Load(cluster, self.tenant, platform.image)
        self.began = 0.0

    def during(self, event: str, change: Callable[[], None], *, may_fail: bool = False) -> None:
        """Count the requests from just before a change until all pods are Ready again."""
        begin = time.time()
        change()
        self.settle()
        end = time.time() + 1
        self.load.wait_for(end)
        window = self.load.window(begin, end)
        self.evidence.count("rollouts", "requests", window.requests)
        self.evidence.figure("rollouts", event, str(window))
        assert window.requests > 0
        if not may_fail:
            assert window.failed == {}, str(window)

    def settle(self, at_least: int = 2) -> None:
        """Wait until there are only Ready pods of the newest version, and none is terminating."""

        def reason() -> str:
            found = self.cluster.items("pods", "-n", self.tenant, "-l", _selector(self.tenant))
            ending = [pod for pod in found if "deletionTimestamp" in pod["metadata"]]
            waiting = [pod_state(pod) for pod in found if pod not in ending and not is_ready(pod)]
            status = self.cluster.kubectl.get("deployment", workload(self.tenant), "-n", self.tenant)
            seen = status["status"].get("observedGeneration") == status["metadata"]["generation"]
            updated = status["status"].get("updatedReplicas", 0)
            if ending or waiting or len(found) < at_least or updated < len(found) or not seen:
                counts = f"{len(ending)} terminating, {len(waiting)} not ready"
                return f"{len(found)} pods, {updated} of the newest version, {counts}"
            return ""

        self.cluster.wait(f"{self.tenant} to settle", reason, seconds=240)

    def pods(self) -> list[dict[str, Any]]:
        """The tenant's serving pods that are not terminating."""
        return self.cluster.pods(self.tenant, labels=service_labels(self.tenant))

    def apply(self, *, image: str | None = None, digest: str | None = None) -> None:
        """Synthesize and apply this tenant."""
        model = f"s3://models/{{tenant}}/spam@sha256:{digest or self.platform.digest}"
        self.platform.synth(model=model, image=image)
        self.cluster.kubectl.run("apply", "-f", str(DIST / f"{self.tenant}.k8s.yaml"))

    def wait_for_bad_pod(self, reason: str) -> dict[str, Any]:
        """Wait until a new pod reports that it cannot run."""
        bad: list[dict[str, Any]] = []

        def why() -> str:
            found = self.pods()
            bad[:] = [pod for pod in found if reason in json.dumps(pod["status"])]
            return "" if bad else f"no pod reports {reason}"

        self.cluster.wait("the bad version", why, seconds=120)
        return bad[0]

    def check_old_pods_continue(self) -> None:
        """A rollout that cannot succeed removes no pod, and is reported as stuck."""
        self.cluster.patch(self.tenant, f"deployment/{workload(self.tenant)}", {"spec": {"progressDeadlineSeconds": 5}})

        def stuck() -> str:
            found = self.cluster.kubectl.get("deployment", workload(self.tenant), "-n", self.tenant)["status"]
            reasons = {each.get("reason") for each in found["conditions"]}
            return "" if "ProgressDeadlineExceeded" in reasons else f"its conditions are {sorted(map(str, reasons))}"

        self.cluster.wait("the rollout to be reported as stuck", stuck, seconds=60)
        assert len(self.cluster.ready_pods(self.tenant)) >= 2


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
    selector = () if spare else (f"--pod-selector={_selector(stage.tenant)}",)
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


def _selector(tenant: str) -> str:
    return ",".join(f"{key}={value}" for key, value in service_labels(tenant).items())


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
    taken.add(stage.cluster.kubectl.get("pod", stage.load.name, "-n", stage.tenant)["spec"]["nodeName"])
    nodes = {str(pod["spec"]["nodeName"]) for pod in stage.cluster.ready_pods(stage.tenant)}
    return next(iter(sorted(nodes - taken)), "")
