"""The requirements for a cluster, each with a message that says what is missing."""

import json
from collections.abc import Iterator
from typing import Final

from tenantry.console import say
from tenantry.errors import CommandError
from tests.e2e import pods
from tests.e2e.cluster import LiveCluster

OLDEST: Final = (1, 30)
CRDS: Final = ("servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
CHECK: Final = "tenantry-e2e-check"
OTHER_NAMESPACE: Final = pods.OTHER_NAMESPACE


def missing(cluster: LiveCluster) -> Iterator[str]:
    """Everything that is missing, apart from the enforcement of policies, one sentence each."""
    kubectl = cluster.kubectl
    kubectl.require_reachable()
    if kubectl.try_run("auth", "can-i", "*", "*", "--all-namespaces").stdout.strip() != "yes":
        yield f"context {kubectl.context} needs full permissions for this run (cluster-admin)"
    version = _version(cluster)
    if version < OLDEST:
        yield f"Kubernetes {'.'.join(map(str, version))} is too old: preStop.sleep needs {'.'.join(map(str, OLDEST))}"
    for name in CRDS:
        if not cluster.exists("crd", name):
            yield f"the CRD {name} is missing: install kube-prometheus-stack or its CRDs"
    if kubectl.try_run("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes").returncode:
        yield "the metrics API (metrics.k8s.io) does not answer: install metrics-server"
    if not cluster.exists("namespace", "monitoring"):
        yield "the namespace monitoring is missing: install kube-prometheus-stack there"


def _version(cluster: LiveCluster) -> tuple[int, int]:
    said = json.loads(cluster.kubectl.run("get", "--raw", "/version"))
    return int(said["major"]), int(said["minor"].rstrip("+"))


def policies_are_enforced(cluster: LiveCluster, image: str) -> tuple[int, float]:
    """Check that a deny-all policy blocks a connection that was open before.

    Returns:
        The number of probes, and the seconds until the connection was blocked.

    Raises:
        CommandError: The connection was blocked before the policy existed, or open after it.
    """
    cluster.apply(pods.namespace(CHECK), pods.namespace(OTHER_NAMESPACE))
    cluster.apply(
        pods.listener("listener", namespace=CHECK, image=image),
        pods.outside_pod(image),
    )
    cluster.wait_for_pods(CHECK, ["listener"])
    cluster.wait_for_pods(OTHER_NAMESPACE, ["outside"])
    address = cluster.kubectl.get("pod", "listener", "-n", CHECK)["status"]["podIP"]
    order = {"attempts": 1, "seconds": 2, "targets": {"listener": ["tcp", address, 8000]}}
    probes = 0

    def outcome() -> str:
        nonlocal probes
        probes += 1
        return str(cluster.python(OTHER_NAMESPACE, "outside", "probe", order)["listener"][0])

    cluster.wait(
        "pods to reach each other before any policy", lambda: "" if outcome() == "open" else "closed", seconds=20
    )
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    metadata = {"name": "deny-all", "namespace": CHECK}
    cluster.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": deny})
    try:
        took = cluster.wait("a deny-all policy", lambda: "" if outcome() != "open" else "still open", seconds=30)
    except CommandError as error:
        raise CommandError(
            "this cluster does not enforce NetworkPolicies: a pod with a deny-all policy still answers after 30 s. "
            "Isolation depends on them: use a network plugin that enforces them (Kind does since 0.24)"
        ) from error
    say(f"NetworkPolicies are enforced: blocked {took:.1f} s after a deny-all policy")
    return probes, took
