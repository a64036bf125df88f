"""What the audit says of monitors is what the Prometheus Operator makes of them, for its Prometheus and for others.

The operator writes the configuration of a Prometheus without replicas, too, so no pod is needed.
"""

import base64
import gzip
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from audit import Cluster, read
from audit.metrics import Metrics
from audit.model.objects import Object
from audit.model.truth import NO
from audit.wiring.selection import takes
from tests.e2e import pods
from tests.e2e.cluster import LiveCluster
from tests.e2e.evidence import Evidence

pytestmark = pytest.mark.promise("monitors")
RED, BLUE = "tenantry-e2e-monitors-red", "tenantry-e2e-monitors-blue"
REAL = ("monitoring", "kube-prometheus-stack-prometheus")
GROUP = "monitoring.coreos.com/v1"
BY_TEAM = {"matchExpressions": [{"key": "team", "operator": "In", "values": ["red", "blue"]}]}
SERVERS: dict[str, dict[str, Any]] = {
    "own-namespace": {"serviceMonitorSelector": {}},
    "by-label": {
        "serviceMonitorSelector": {"matchLabels": {"team": "blue"}},
        "serviceMonitorNamespaceSelector": {},
        "podMonitorSelector": {},
        "podMonitorNamespaceSelector": {"matchLabels": {"team": "blue"}},
    },
    "by-expression": {
        "serviceMonitorSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["blue"]}]},
        "serviceMonitorNamespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
    },
    "pods-only": {"podMonitorSelector": {}, "podMonitorNamespaceSelector": BY_TEAM},
    "overriding": {
        "serviceMonitorSelector": {},
        "serviceMonitorNamespaceSelector": BY_TEAM,
        "podMonitorSelector": {},
        "podMonitorNamespaceSelector": BY_TEAM,
        "overrideHonorLabels": True,
        "ignoreNamespaceSelectors": True,
    },
    "enforcing": {
        "serviceMonitorSelector": {},
        "serviceMonitorNamespaceSelector": BY_TEAM,
        "enforcedNamespaceLabel": "namespace",
    },
}


def _objects() -> Iterator[dict[str, Any]]:
    for name, team in ((RED, "red"), (BLUE, "blue")):
        space = pods.namespace(name)
        space["metadata"]["labels"] = {**space["metadata"]["labels"], "team": team}
        yield space
    endpoint = {"port": "http", "honorLabels": True}
    anywhere = {"selector": {}, "namespaceSelector": {"any": True}}
    listed = {"selector": {}, "namespaceSelector": {"matchNames": [RED, BLUE]}}
    yield _of("ServiceMonitor", "anywhere", RED, "red", {**anywhere, "endpoints": [endpoint]})
    yield _of("ServiceMonitor", "wide", BLUE, "red", {**anywhere, "endpoints": [endpoint]})
    yield _of("ServiceMonitor", "own", BLUE, "blue", {"selector": {}, "endpoints": [{"port": "http"}]})
    yield _of("PodMonitor", "listed", BLUE, "blue", {**listed, "podMetricsEndpoints": [endpoint]})
    for name, spec in SERVERS.items():
        yield _of("Prometheus", name, RED, "red", {"replicas": 0, **spec})


def _of(kind: str, name: str, namespace: str, team: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"team": team}}
    return {"apiVersion": GROUP, "kind": kind, "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def found(cluster: LiveCluster) -> Iterator[Cluster]:
    """The cluster with these objects, as the audit reads it."""
    cluster.apply(*_objects())
    try:
        for name in SERVERS:
            cluster.wait(f"the configuration of {name}", lambda name=name: _missing(cluster, name), seconds=60)  # type: ignore[misc]
        yield read.context(cluster.kubectl.context, kubeconfig=cluster.kubectl.kubeconfig, details=True)
    finally:
        cluster.delete("namespace", RED, BLUE)


def _missing(cluster: LiveCluster, name: str) -> str:
    if not cluster.exists("secret", f"prometheus-{name}", "-n", RED):
        return "the operator has not written it"
    return "" if _jobs(cluster, RED, name) else "it has no jobs yet"


def _jobs(cluster: LiveCluster, namespace: str, name: str) -> list[dict[str, Any]]:
    """The jobs that the operator configured for monitors."""
    data = cluster.kubectl.get("secret", f"prometheus-{name}", "-n", namespace)["data"]["prometheus.yaml.gz"]
    configuration = yaml.safe_load(gzip.decompress(base64.b64decode(data)))
    kinds = ("serviceMonitor/", "podMonitor/")
    return [each for each in configuration["scrape_configs"] if each["job_name"].startswith(kinds)]


def _monitor(job: dict[str, Any]) -> str:
    """The monitor of a job, as in ServiceMonitor shop/web."""
    kind, namespace, name, _index = job["job_name"].split("/")
    return f"{kind[0].upper()}{kind[1:]} {namespace}/{name}"


def _server(found: Cluster, namespace: str, name: str) -> Object:
    every = found.inventory.of_kind("Prometheus")
    return next(each for each in every if (each.namespace, each.name) == (namespace, name))


@pytest.mark.parametrize(("namespace", "name"), [*((RED, each) for each in SERVERS), REAL])
def test_a_prometheus_selects_the_monitors_that_the_audit_names(
    namespace: str, name: str, cluster: LiveCluster, found: Cluster, evidence: Evidence
) -> None:
    server = _server(found, namespace, name)
    monitors = found.inventory.of_kind("ServiceMonitor", "PodMonitor")
    evidence.count("monitors", "selections compared", len(monitors))
    said = {each.reference for each in monitors if takes(found.inventory, server, each) is not NO}
    assert said == {_monitor(each) for each in _jobs(cluster, namespace, name)}


@pytest.mark.parametrize("name", SERVERS)
def test_what_a_monitor_may_scrape_and_forge_is_what_the_operator_configures(
    name: str, cluster: LiveCluster, found: Cluster, evidence: Evidence
) -> None:
    """With this Prometheus alone, for monitors outside its namespace: namespaces, and labels that targets choose."""
    kept = {**found.inventory.kept, "Prometheus": [_server(found, RED, name)]}
    alone = Cluster(replace(found.inventory, kept=kept), found.assumptions)
    rules = [(each.rule, each.subject) for each in Metrics(alone).isolation_findings(())]
    jobs = [each for each in _jobs(cluster, RED, name) if f" {BLUE}/" in _monitor(each)]
    evidence.count("monitors", "configured jobs compared", len(jobs))
    said = {subject for rule, subject in rules if rule == "metrics-honor-labels" and f" {BLUE}/" in subject}
    assert said == {_monitor(each) for each in jobs if _forgeable(each)}
    said = {subject for rule, subject in rules if rule == "metrics-other-namespace" and f" {BLUE}/" in subject}
    assert said == {_monitor(each) for each in jobs if _elsewhere(each)}


def _forgeable(job: dict[str, Any]) -> bool:
    """Whether a target may choose the label `namespace`: nothing sets it afterwards."""
    last = [each for each in job.get("metric_relabel_configs", ()) if each.get("target_label") == "namespace"]
    return bool(job.get("honor_labels")) and not last


def _elsewhere(job: dict[str, Any]) -> bool:
    """Whether targets of other namespaces are discovered."""
    (discovery,) = job["kubernetes_sd_configs"]
    return bool(discovery.get("namespaces", {}).get("names") != [BLUE])
