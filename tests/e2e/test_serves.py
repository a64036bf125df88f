"""Serving: `kubectl apply -f`, two pods per tenant, and answers through the Service."""

import http.client
import json
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from inference.model.artifact import read_directory
from inference.model.classifier import TextClassifier
from tests.e2e.cluster import LiveCluster, is_ready, service, workload
from tests.e2e.deployment import MODEL, PlatformUnderTest
from tests.e2e.evidence import Evidence

pytestmark = pytest.mark.smoke
POLICIES = [
    "allow-clients",
    "allow-dns",
    "allow-model-store",
    "allow-prometheus",
    "allow-same-namespace",
    "allow-world-https",
    "default-deny",
]
SPAM = "Congratulations! You have won a free prize. Click here now to claim your cash, 100% guaranteed, no risk."


@pytest.mark.promise("nodes")
def test_cluster_has_a_control_plane_and_four_workers(cluster: LiveCluster, evidence: Evidence) -> None:
    """There is one control plane and four workers, and all are Ready."""
    nodes = cluster.items("nodes")
    assert all(is_ready(node) for node in nodes)
    planes = [node for node in nodes if "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]]
    evidence.count("nodes", "nodes", len(nodes))
    if (len(planes), len(nodes)) != (1, 5):
        pytest.skip(f"this cluster has {len(planes)} control planes and {len(nodes)} nodes")


@pytest.mark.promise("structure")
def test_apply_gives_no_warning(platform: PlatformUnderTest) -> None:
    """`kubectl apply -f` of all manifests gives no warning."""
    assert platform.warnings == ""


@pytest.mark.promise("structure")
def test_every_tenant_has_the_same_objects(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """Every tenant has each object by its exact name, every policy, and the autoscaler's values."""
    for tenant in platform.tenants:
        name = workload(tenant)
        for kind in (
            "serviceaccount",
            "role",
            "rolebinding",
            "deployment",
            "hpa",
            "pdb",
            "servicemonitor",
            "prometheusrule",
        ):
            assert cluster.exists(kind, name, "-n", tenant), f"{tenant} lacks {kind} {name}"
            evidence.count("structure", "objects")
        policies = [each["metadata"]["name"] for each in cluster.items("networkpolicies", "-n", tenant)]
        assert policies == sorted([*POLICIES, *(["allow-gateway"] if platform.gateway else [])])
        scaler = cluster.kubectl.get("hpa", name, "-n", tenant)["spec"]
        target = scaler["metrics"][0]["containerResource"]
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
        assert (target["name"], target["target"]["averageUtilization"]) == ("cpu", 50)
        found = cluster.kubectl.get("service", service(tenant), "-n", tenant)["spec"]
        assert (found["type"], [port["port"] for port in found["ports"]]) == ("ClusterIP", [8000])


@pytest.mark.promise("serves")
def test_two_pods_per_tenant_are_ready_on_different_nodes(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The autoscaler has scaled each Deployment to two pods, on different nodes."""
    evidence.figure("serves", "seconds from apply to Ready", round(platform.ready_seconds))
    for tenant in platform.tenants:
        nodes = Counter(pod["spec"]["nodeName"] for pod in cluster.ready_pods(tenant))
        evidence.count("serves", "pods", nodes.total())
        assert nodes.total() == 2
        assert len(nodes) == 2, f"{tenant}'s pods share a node: {dict(nodes)}"


@pytest.mark.promise("serves")
def test_predict_through_port_forward(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """POST /predict through `kubectl port-forward` gives the same answer as the model in this process."""
    local = TextClassifier.from_artifact(read_directory(MODEL)).predict(SPAM)
    assert local.label == "spam"
    for tenant in platform.tenants:
        with cluster.kubectl.port_forward(tenant, f"service/{service(tenant)}", 8000) as port:
            status, answer = post(port, {"text": SPAM})
        evidence.count("serves", "predictions")
        assert status == 200
        assert answer["prediction"] == local.label
        assert answer["confidence"] == pytest.approx(local.confidence, abs=1e-9)
        evidence.figure("serves", f"{tenant} answers", json.dumps(answer))


@pytest.mark.promise("model")
def test_model_is_the_published_one(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """Every pod serves the published digest, with the tenant's own keys."""
    if not platform.digest:
        pytest.skip("this run has not published a model")
    for tenant in platform.tenants:
        for pod in cluster.ready_pods(tenant):
            name = pod["metadata"]["name"]
            with cluster.kubectl.port_forward(tenant, f"pod/{name}", 8000) as port:
                metrics = get(port, "/metrics")
            info = [line for line in metrics.splitlines() if line.startswith("inference_model_info{")]
            evidence.count("model", "pods")
            assert len(info) == 1, info
            assert platform.digest in info[0]
            environment = pod["spec"]["containers"][0]["env"]
            secrets = {each["valueFrom"]["secretKeyRef"]["name"] for each in environment if "valueFrom" in each}
            assert secrets == {"model-store"}


def post(port: int, body: object) -> tuple[int, dict[str, Any]]:
    """POST /predict to a forwarded port."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", "/predict", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def get(port: int, path: str) -> str:
    """GET a path of a forwarded port."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
