"""The first two seconds of a pod, before the network plugin applies its policies."""

import json
import subprocess
from typing import Any

import pytest

from tests.e2e import pods
from tests.e2e.cluster import INSIDE, LiveCluster
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.probes import Probes
from tests.e2e.requirements import OTHER_NAMESPACE

pytestmark = pytest.mark.promise("first-seconds")
ROUNDS = 3
SECONDS = 4


def _early_pod(name: str, namespace: str, image: str, host: str) -> dict[str, Any]:
    pod = pods.restricted_pod(name, namespace=namespace, image=image)
    script = (INSIDE / "connect_early.py").read_text("utf-8")
    pod["spec"]["containers"][0]["command"] = ["python", "-c", script, host, "8000", str(SECONDS)]
    return pod


def _finding(cluster: LiveCluster, namespace: str, name: str) -> dict[str, Any]:
    cluster.wait(
        f"the result of {name}", lambda: "" if "attempts" in _log(cluster, namespace, name) else "none", seconds=60
    )
    found: dict[str, Any] = json.loads(_log(cluster, namespace, name).strip().splitlines()[-1])
    return found


def _log(cluster: LiveCluster, namespace: str, name: str) -> str:
    return cluster.kubectl.try_run("logs", "-n", namespace, name).stdout


def test_egress_of_a_new_pod(
    cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """A forbidden connection from a new pod is blocked within two seconds; the time is measured."""
    del probes
    own = platform.tenants[0]
    # A pod without an ingress policy, so that only the egress of the new pod is measured.
    host = cluster.kubectl.get("pod", "outside", "-n", OTHER_NAMESPACE)["status"]["podIP"]
    last, attempts = [], 0
    for number in range(ROUNDS):
        name = f"e2e-early-{number}"
        try:
            cluster.apply(_early_pod(name, own, platform.image, host))
            found = _finding(cluster, own, name)
        finally:
            cluster.delete("pod", name, "-n", own)
        attempts += found["attempts"]
        last.append(found["last_open_ms"] or 0)
        assert found["attempts"] > found["open"], "it was never blocked"
    control = "e2e-early-control"
    try:
        cluster.apply(_early_pod(control, OTHER_NAMESPACE, platform.image, host))
        assert _finding(cluster, OTHER_NAMESPACE, control)["open"] > 0, "it must be open without a policy"
    finally:
        cluster.delete("pod", control, "-n", OTHER_NAMESPACE)
    evidence.count("first-seconds", "connections by new pods", attempts)
    evidence.figure("first-seconds", f"milliseconds for which a new pod's egress stayed open ({ROUNDS} pods)", last)
    evidence.note(
        "first-seconds",
        "Egress is open until the network plugin has processed a new pod. Tenantry cannot change this; only the "
        "tenant's own image can use that time. Ingress is blocked from the start.",
    )
    assert max(last) < 2000


def test_ingress_of_a_new_pod(
    cluster: LiveCluster, platform: PlatformUnderTest, probes: Probes, evidence: Evidence
) -> None:
    """No pod of another namespace ever reaches a new pod, from its first moment; a pod of its own tenant does."""
    del probes
    own = platform.tenants[0]
    name = "e2e-new"
    attempts = 0
    for _ in range(ROUNDS):
        try:
            cluster.apply(pods.listener(name, namespace=own, image=platform.image))
            host = _address(cluster, own, name)
            found = _connect_repeatedly(cluster, OTHER_NAMESPACE, "outside", host)
            attempts += found["attempts"]
            assert found["open"] == 0, f"it was open to another namespace after {found['last_open_ms']} ms"
            cluster.wait_for_pods(own, [name])
            inside = cluster.ready_pods(own)[0]["metadata"]["name"]
            order = {"attempts": 1, "seconds": 3, "targets": {"new": ["tcp", host, 8000]}}
            assert cluster.python(own, inside, "probe", order, container="inference") == {"new": ["open"]}
        finally:
            cluster.delete("pod", name, "-n", own)
    evidence.count("first-seconds", "connections to new pods", attempts)


def _address(cluster: LiveCluster, namespace: str, name: str) -> str:
    address = [""]

    def reason() -> str:
        address[0] = cluster.kubectl.get("pod", name, "-n", namespace)["status"].get("podIP", "")
        return "" if address[0] else "it has no address yet"

    cluster.wait(name, reason, seconds=60)
    return address[0]


def _connect_repeatedly(cluster: LiveCluster, namespace: str, pod: str, host: str) -> dict[str, Any]:
    """Connect repeatedly from an existing pod. The script waits forever after its result, so this part is removed."""
    script = (INSIDE / "connect_early.py").read_text("utf-8")
    command = cluster.kubectl.command(
        "exec", "-i", "-n", namespace, pod, "--", "python", "-", host, "8000", str(SECONDS)
    )
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(script.replace("    threading.Event().wait()\n", ""))
        process.stdin.close()
        line = process.stdout.readline()
    process.wait(30)
    found: dict[str, Any] = json.loads(line)
    return found
