"""A tenant under constant load over kept-alive connections, while something changes."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.e2e.cluster import LiveCluster, is_ready, pod_state, service_labels, workload
from tests.e2e.deployment import DIST, PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.load import Load


class Stage:
    """A tenant under load, and the requests during each event.

    Attributes:
        load: The load; through the tenant's Service by default.
        promise: The promise in whose row requests are counted.
    """

    def __init__(
        self,
        cluster: LiveCluster,
        platform: PlatformUnderTest,
        evidence: Evidence,
        *,
        load: Load | None = None,
        promise: str = "rollouts",
    ) -> None:
        self.cluster, self.platform, self.evidence = cluster, platform, evidence
        self.tenant, self.promise = platform.tenants[0], promise
        self.load = load or Load(cluster, self.tenant, platform.image)
        self.began = 0.0

    @property
    def selector(self) -> str:
        """The labels that select the tenant's serving pods, for kubectl."""
        return ",".join(f"{key}={value}" for key, value in service_labels(self.tenant).items())

    def during(self, event: str, change: Callable[[], None], *, may_fail: bool = False) -> None:
        """Count the requests from just before a change until all pods are Ready again."""
        begin = time.time()
        change()
        self.settle()
        end = time.time() + 1
        self.load.wait_for(end)
        window = self.load.window(begin, end)
        self.evidence.count(self.promise, "requests", window.requests)
        self.evidence.figure(self.promise, event, str(window))
        assert window.requests > 0
        if not may_fail:
            assert window.failed == {}, str(window)

    def settle(self, at_least: int = 2) -> None:
        """Wait until there are only Ready pods of the newest version, and none is terminating."""

        def reason() -> str:
            found = self.cluster.items("pods", "-n", self.tenant, "-l", self.selector)
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
