"""Admission: pods and Services that are refused, each for one reason; without it, the same object is accepted."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import pods
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence

pytestmark = pytest.mark.smoke
Pod = dict[str, Any]
DRY_RUN = "--dry-run=server"


def _container(pod: Pod) -> dict[str, Any]:
    container: dict[str, Any] = pod["spec"]["containers"][0]
    return container


def _privileged(pod: Pod) -> None:
    _container(pod)["securityContext"] |= {"privileged": True, "allowPrivilegeEscalation": True}


def _host_network(pod: Pod) -> None:
    pod["spec"]["hostNetwork"] = True


def _host_path(pod: Pod) -> None:
    pod["spec"]["volumes"] = [{"name": "host", "hostPath": {"path": "/"}}]


def _root(pod: Pod) -> None:
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}


def _capability(pod: Pod) -> None:
    _container(pod)["securityContext"]["capabilities"]["add"] = ["NET_RAW"]


def _no_seccomp(pod: Pod) -> None:
    pod["spec"]["securityContext"]["seccompProfile"] = {"type": "Unconfined"}


def _escalation(pod: Pod) -> None:
    _container(pod)["securityContext"]["allowPrivilegeEscalation"] = True


def _oversize(pod: Pod) -> None:
    _container(pod)["resources"]["limits"]["memory"] = "513Mi"


def _large(pod: Pod) -> None:
    _container(pod)["resources"]["limits"]["ephemeral-storage"] = "257Mi"


def _fast(pod: Pod) -> None:
    _container(pod)["resources"]["limits"]["cpu"] = "501m"


FLAWS: dict[str, tuple[Callable[[Pod], None], str]] = {
    "privileged": (_privileged, "privileged"),
    "host network": (_host_network, "hostNetwork=true"),
    "hostPath volume": (_host_path, "hostPath"),
    "root": (_root, "runAsUser=0"),
    "added capability": (_capability, 'must not include "NET_RAW"'),
    "no seccomp profile": (_no_seccomp, "seccompProfile"),
    "privilege escalation": (_escalation, "allowPrivilegeEscalation != false"),
}
SIZES: dict[str, tuple[Callable[[Pod], None], str]] = {
    "more than 512Mi": (_oversize, "maximum memory usage per Container is 512Mi"),
    "more than 500m": (_fast, "maximum cpu usage per Container is 500m"),
    "more than 256Mi disk space": (_large, "maximum ephemeral-storage usage per Container is 256Mi"),
}


def _refused(cluster: LiveCluster, tenant: str, image: str, spoil: Callable[[Pod], None]) -> str:
    sound = pods.restricted_pod("e2e-flawed", namespace=tenant, image=image)
    assert cluster.try_create(sound, DRY_RUN) == "", "the sound pod must be accepted, or the refusal proves nothing"
    flawed = copy.deepcopy(sound)
    spoil(flawed)
    return cluster.try_create(flawed, DRY_RUN)


@pytest.mark.promise("containers")
@pytest.mark.parametrize("flaw", FLAWS)
def test_pod_security_refuses(flaw: str, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """Pod Security refuses a pod with one flaw, for that flaw, and accepts it without the flaw."""
    spoil, reason = FLAWS[flaw]
    for tenant in platform.tenants:
        said = _refused(cluster, tenant, platform.image, spoil)
        evidence.count("containers", "pods offered", 2)
        assert 'violates PodSecurity "restricted' in said
        assert reason in said


@pytest.mark.promise("fairness")
@pytest.mark.parametrize("size", SIZES)
def test_limit_range_refuses_oversize(
    size: str, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """A pod above the limits is refused."""
    spoil, reason = SIZES[size]
    for tenant in platform.tenants:
        said = _refused(cluster, tenant, platform.image, spoil)
        evidence.count("fairness", "pods offered", 2)
        assert reason in said


@pytest.mark.promise("fairness")
def test_quota_refuses_one_pod_too_many(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """The quota allows the autoscaler's maximum, a rollout and the headroom, and not one pod more."""
    tenant = platform.tenants[0]
    hard = cluster.kubectl.get("resourcequota", workload(tenant), "-n", tenant)["spec"]["hard"]
    assert hard["pods"] == "25", "10 pods + 1 surge + 10 terminating + 4 headroom"
    room = int(hard["pods"]) - len(cluster.items("pods", "-n", tenant))
    held = [_waiting(f"e2e-quota-{number}", tenant, platform.image) for number in range(room + 1)]
    try:
        cluster.apply(*held[:-1])
        said = cluster.try_create(held[-1], DRY_RUN)
    finally:
        cluster.delete("pods", "-n", tenant, "-l", "tenantry.dev/e2e-quota=pod", "--grace-period=0", "--force")
    evidence.count("fairness", "pods offered", len(held))
    assert "exceeded quota" in said
    assert "pods=25" in said.partition("limited: ")[2]


@pytest.mark.promise("fairness")
@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_services_that_open_nodes_are_refused(
    kind: str, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """A tenant's Service cannot open a port on the nodes; a ClusterIP Service is accepted."""
    for tenant in platform.tenants:
        evidence.count("fairness", "Services offered", 2)
        assert cluster.try_create(_service(tenant, "ClusterIP"), DRY_RUN) == ""
        assert "exceeded quota" in cluster.try_create(_service(tenant, kind), DRY_RUN)


@pytest.mark.promise("containers")
def test_container_runs_as_promised(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """In the container: UID 1000, no capabilities, no new privileges, seccomp, a read-only root, no token."""
    for tenant in platform.tenants:
        for pod in cluster.ready_pods(tenant):
            found = cluster.python(tenant, pod["metadata"]["name"], "look", container="inference")
            evidence.count("containers", "pods inspected")
            assert found == {
                "uid": 1000,
                "gid": 1000,
                "capabilities": 0,
                "no_new_privileges": True,
                "seccomp": "filter",
                "root_is_read_only": True,
                "token": False,
            }


@pytest.mark.promise("containers")
def test_pod_template_sets_every_field(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """The template sets what the cluster enforces, so that it is as safe in a cluster that enforces nothing."""
    for tenant in platform.tenants:
        template = cluster.kubectl.get("deployment", workload(tenant), "-n", tenant)["spec"]["template"]["spec"]
        evidence.count("containers", "pod templates")
        assert template["automountServiceAccountToken"] is False
        context = template["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"], context["seccompProfile"]["type"]) == (
            True,
            1000,
            "RuntimeDefault",
        )
        container = template["containers"][0]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"] == {"cpu": "500m", "ephemeral-storage": "256Mi", "memory": "512Mi"}


def _waiting(name: str, tenant: str, image: str) -> Pod:
    """A pod that counts against the quota and never runs."""
    pod = pods.restricted_pod(name, namespace=tenant, image=image, labels={"tenantry.dev/e2e-quota": "pod"})
    pod["spec"]["schedulingGates"] = [{"name": "tenantry.dev/e2e"}]
    return pod


def _service(tenant: str, kind: str) -> dict[str, Any]:
    spec = {"type": kind, "selector": {"app": "e2e"}, "ports": [{"port": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "e2e", "namespace": tenant}, "spec": spec}
