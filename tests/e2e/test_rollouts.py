"""It changes without a scratch: constant load through the Service, keep-alive on, while everything changes."""

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
from tests.e2e.cluster import Cluster, is_ready, pod_state, service_labels, workload
from tests.e2e.deployment import DIST, MODEL, PlatformUnderTest, bring_image, digest_in_use
from tests.e2e.evidence import Evidence
from tests.e2e.load import Load
from tests.e2e.requirements import STRANGER

pytestmark = pytest.mark.promise("rollouts")
RATE: Final = 120
LEAST: Final = 20_000
EMPTY_DIGEST: Final = "0" * 64


class Stage:
    """A tenant under load, and what was counted in each event."""

    def __init__(self, cluster: Cluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
        self.cluster, self.platform, self.evidence = cluster, platform, evidence
        self.tenant = platform.tenants[0]
        self.load = Load(cluster, self.tenant, platform.image)
        self.began = 0.0

    def during(self, event: str, change: Callable[[], None], *, may_fail: bool = False) -> None:
        """Count what fails from just before a change until everything has settled."""
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
        """Wait until only Ready pods of the newest version are there, and none is about to end."""

        def reason() -> str:
            found = self.cluster.items("pods", "-n", self.tenant, "-l", _selector(self.tenant))
            ending = [pod for pod in found if "deletionTimestamp" in pod["metadata"]]
            waiting = [pod_state(pod) for pod in found if pod not in ending and not is_ready(pod)]
            status = self.cluster.kubectl.get("deployment", workload(self.tenant), "-n", self.tenant)
            seen = status["status"].get("observedGeneration") == status["metadata"]["generation"]
            updated = status["status"].get("updatedReplicas", 0)
            if ending or waiting or len(found) < at_least or updated < len(found) or not seen:
                return f"{len(found)} pods, {updated} of the newest version, {len(ending)} end, {len(waiting)} wait"
            return ""

        self.cluster.wait(f"{self.tenant} to settle", reason, seconds=240)

    def pods(self) -> list[dict[str, Any]]:
        """The tenant's own pods that are not about to end."""
        return self.cluster.pods(self.tenant, labels=service_labels(self.tenant))

    def apply(self, *, image: str | None = None, digest: str | None = None) -> None:
        """Synthesize this tenant anew, and apply."""
        model = f"s3://models/{{tenant}}/spam@sha256:{digest or self.platform.digest}"
        self.platform.synth(model=model, image=image)
        self.cluster.kubectl.run("apply", "-f", str(DIST / f"{self.tenant}.k8s.yaml"))

    def wait_for_bad_pod(self, reason: str) -> dict[str, Any]:
        """Wait until a new pod says that it cannot run."""
        bad: list[dict[str, Any]] = []

        def why() -> str:
            found = self.pods()
            bad[:] = [pod for pod in found if reason in json.dumps(pod["status"])]
            return "" if bad else f"no pod says {reason}"

        self.cluster.wait("the bad version", why, seconds=120)
        return bad[0]

    def check_old_pods_go_on(self) -> None:
        """A rollout that cannot succeed takes nothing away, and says that it is stuck."""
        self.cluster.patch(self.tenant, f"deployment/{workload(self.tenant)}", {"spec": {"progressDeadlineSeconds": 5}})

        def stuck() -> str:
            found = self.cluster.kubectl.get("deployment", workload(self.tenant), "-n", self.tenant)["status"]
            reasons = {each.get("reason") for each in found["conditions"]}
            return "" if "ProgressDeadlineExceeded" in reasons else f"its conditions say {sorted(map(str, reasons))}"

        self.cluster.wait("the rollout to be reported as stuck", stuck, seconds=60)
        assert len(self.cluster.ready_pods(self.tenant)) >= 2


@pytest.fixture(scope="module")
def stage(cluster: Cluster, platform: PlatformUnderTest, evidence: Evidence) -> Iterator[Stage]:
    """The first tenant, under load for as long as the events take."""
    stage = Stage(cluster, platform, evidence)
    stage.load.stop()
    # Beside the store, on a node that cannot be drained anyhow: so one of the tenant's two pods stands elsewhere.
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
    """An image that nobody has: the old pods go on, and the rollout is reported as stuck."""

    def change() -> None:
        stage.apply(image="ml-inference-service:no-such-tag")
        stage.wait_for_bad_pod("ImagePull")
        stage.check_old_pods_go_on()
        stage.apply()

    stage.during("bad image, and taken back", change)


def test_bad_digest(stage: Stage) -> None:
    """A model that is not there: the new pod ends with a line that says so, and the old pods go on."""

    def change() -> None:
        stage.apply(digest=EMPTY_DIGEST)
        bad = stage.wait_for_bad_pod("CrashLoopBackOff")
        said = stage.cluster.kubectl.run("logs", "-n", stage.tenant, bad["metadata"]["name"], "--previous")
        assert EMPTY_DIGEST[:12] in said
        assert "Traceback" not in said
        stage.check_old_pods_go_on()
        stage.apply()

    stage.during("bad model digest, and taken back", change)


def test_pod_deleted(stage: Stage) -> None:
    """Somebody deletes a pod."""
    pod = stage.cluster.ready_pods(stage.tenant)[0]["metadata"]["name"]
    stage.during("a pod deleted", lambda: stage.cluster.delete("pod", pod, "-n", stage.tenant))


def test_node_evicted(stage: Stage) -> None:
    """All of the tenant's pods on a node are evicted; with DISPOSABLE=1 the node is drained for real."""
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
    """The autoscaler takes pods away; its window is shortened for this test only."""
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
    """SIGKILL, without any warning: what was on its connections is lost, and the number is stated."""
    pod = stage.cluster.ready_pods(stage.tenant)[0]
    name = pod["metadata"]["name"]
    killer = pods.killer(STRANGER, image=stage.platform.image, node=pod["spec"]["nodeName"])
    stage.cluster.apply(killer)
    stage.cluster.wait_for_pods(STRANGER, [killer["metadata"]["name"]])

    def change() -> None:
        answer = stage.cluster.python(STRANGER, killer["metadata"]["name"], "kill", pod["metadata"]["uid"])
        assert answer["killed"] > 0
        stage.cluster.wait("the restart", lambda: "" if restarts() > 0 else "none yet", seconds=60)

    def restarts() -> int:
        found = stage.cluster.kubectl.get("pod", name, "-n", stage.tenant)
        return int(found["status"]["containerStatuses"][0]["restartCount"])

    try:
        stage.during("a container killed (SIGKILL: failures are expected, and stated)", change, may_fail=True)
    finally:
        stage.cluster.delete("pod", killer["metadata"]["name"], "-n", STRANGER)


def test_enough_requests_were_counted(stage: Stage, evidence: Evidence) -> None:
    """The events together, and what lies between them, saw at least 20,000 requests."""
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
        pytest.skip("no Docker Engine here to give the image a second name")
    bring_image(stage.cluster, image, build=False)
    return image


def _spare_node(stage: Stage) -> str:
    """A node with a pod of the tenant whose drain takes nothing away that this stage needs; empty where there is none.

    That is the store, whose emptyDir a drain would empty, the only name server, the autoscaler's metrics and the load
    generator. Monitoring may go: it was asked before, and a disposable cluster's comes back empty.
    """
    kept = [*stage.cluster.pods("minio"), *stage.cluster.pods("kube-system")]
    taken = {pod["spec"]["nodeName"] for pod in kept}
    taken.add(stage.cluster.kubectl.get("pod", stage.load.name, "-n", stage.tenant)["spec"]["nodeName"])
    nodes = {str(pod["spec"]["nodeName"]) for pod in stage.cluster.ready_pods(stage.tenant)}
    return next(iter(sorted(nodes - taken)), "")
