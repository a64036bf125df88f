"""Monitoring: the cluster's Prometheus, rules and Alertmanager."""

import itertools
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constructs_lib.monitoring.panels import PANELS
from constructs_lib.monitoring.routing import alertmanager_config_spec
from constructs_lib.platform.receivers import WebhookReceiver
from inference import contract
from tenantry.cluster.load_job import SCRIPT
from tests.e2e import pods
from tests.e2e.cluster import LiveCluster, service, service_labels, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.monitoring import Api, alertmanager, prometheus
from tests.e2e.requirements import OTHER_NAMESPACE

FORGED_POD = "e2e-forged"
WEBHOOK = "e2e-webhook"
CONFIG = "e2e-webhook"
FORGED = 'inference_forged{namespace="forged-tenant",tenant="forged-tenant"} 1\n'
TWO_SCRAPES = 60


@pytest.fixture(scope="module")
def metrics(cluster: LiveCluster, platform: PlatformUnderTest) -> Iterator[Api]:
    """The cluster's Prometheus, while the platform is installed."""
    del platform
    with prometheus(cluster) as api:
        yield api


@pytest.mark.promise("scrape")
def test_every_pod_is_scraped_every_30_seconds(
    cluster: LiveCluster, platform: PlatformUnderTest, metrics: Api, evidence: Evidence
) -> None:
    """Each pod is a target that is up within two scrapes, and is scraped every 30 s."""
    wanted = {(tenant, pod["metadata"]["name"]) for tenant in platform.tenants for pod in cluster.ready_pods(tenant)}

    def reason() -> str:
        missing = wanted - _up(metrics)
        return f"{len(missing)} pods are not up: {sorted(missing)}" if missing else ""

    took = cluster.wait("targets", reason, seconds=TWO_SCRAPES + 45)
    evidence.figure("scrape", "seconds until every pod was up", round(took))
    evidence.count("scrape", "pods", len(wanted))
    targets = [
        each
        for each in metrics.get("/api/v1/targets", state="active")["data"]["activeTargets"]
        if (each["labels"].get("namespace"), each["labels"].get("pod")) in wanted
    ]
    assert {each["scrapeInterval"] for each in targets} == {"30s"}
    assert {each["labels"]["job"] for each in targets} == {service(tenant) for tenant in platform.tenants}
    assert {each["scrapeUrl"].rpartition(":")[2] for each in targets} == {"8000/metrics"}
    gaps: list[int] = []

    def two_gaps() -> str:
        gaps[:] = [
            round(later - sooner)
            for each in metrics.query(f'up{{namespace=~"{"|".join(platform.tenants)}"}}[5m]')
            for (sooner, _), (later, _) in itertools.pairwise(each["values"])
        ]
        return "" if len(gaps) >= len(wanted) else "there are too few samples"

    cluster.wait("two scrapes of each pod", two_gaps, seconds=TWO_SCRAPES + 30)
    evidence.figure("scrape", "seconds between scrapes", f"{min(gaps)} to {max(gaps)} of {len(gaps)} gaps")
    assert sum(28 <= gap <= 32 for gap in gaps) >= 0.9 * len(gaps), gaps


@pytest.mark.promise("scrape")
def test_tenant_label_cannot_be_forged(
    cluster: LiveCluster, platform: PlatformUnderTest, metrics: Api, evidence: Evidence
) -> None:
    """A pod that sets another namespace in its metrics is still attributed to its own namespace."""
    tenant = platform.tenants[-1]
    pod = pods.listener(
        FORGED_POD, namespace=tenant, image=platform.image, labels=service_labels(tenant), answer=FORGED
    )
    try:
        cluster.apply(pod)
        cluster.wait_for_pods(tenant, [FORGED_POD])
        found: list[dict[str, Any]] = []

        def reason() -> str:
            found[:] = metrics.query("inference_forged")
            return "" if found else "not scraped yet"

        cluster.wait("the forged metric", reason, seconds=TWO_SCRAPES + 45)
    finally:
        cluster.delete("pod", FORGED_POD, "-n", tenant)
    evidence.count("scrape", "forged metrics")
    assert [each["metric"]["namespace"] for each in found] == [tenant]
    assert found[0]["metric"]["exported_namespace"] == "forged-tenant"


@pytest.mark.promise("alerts")
def test_rules_are_loaded_without_error(
    cluster: LiveCluster, platform: PlatformUnderTest, metrics: Api, evidence: Evidence
) -> None:
    """Every rule of every tenant is loaded, evaluated and healthy."""
    for tenant in platform.tenants:
        rule = cluster.kubectl.get("prometheusrule", workload(tenant), "-n", tenant)
        wanted = sorted(
            each.get("alert") or each["record"] for group in rule["spec"]["groups"] for each in group["rules"]
        )
        loaded: list[dict[str, Any]] = []

        def reason(tenant: str = tenant, wanted: list[str] = wanted, loaded: list[dict[str, Any]] = loaded) -> str:
            groups = metrics.get("/api/v1/rules")["data"]["groups"]
            mark = f"{tenant}-{workload(tenant)}-"
            loaded[:] = [each for group in groups if mark in group["file"] for each in group["rules"]]
            if sorted(each["name"] for each in loaded) != wanted:
                return f"{len(loaded)} of {len(wanted)} rules are loaded"
            return "some are not evaluated yet" if any(each["health"] == "unknown" for each in loaded) else ""

        cluster.wait(f"rules of {tenant}", reason, seconds=150)
        evidence.count("alerts", "rules", len(loaded))
        assert [(each["name"], each["lastError"]) for each in loaded if each["health"] != "ok"] == []


@pytest.mark.promise("alerts")
def test_alert_reaches_the_webhook_and_a_silence_stops_it(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """A test alert is delivered and resolved, and not delivered while it is silenced."""
    tenant = platform.tenants[0]
    # A unique name: Alertmanager remembers its notifications for hours.
    loudly, silently = (f"E2E{word}{time.time():.0f}" for word in ("Loud", "Silent"))
    _make_receiver(cluster, platform, tenant)
    try:
        with alertmanager(cluster) as alerts:
            cluster.wait("the receiver", lambda: _config_reason(alerts, tenant), seconds=120)
            _raise(cluster, tenant, loudly, seconds=70)
            took = _wait_for_delivery(cluster, loudly, "firing", seconds=120)
            evidence.figure("alerts", "seconds until the webhook got the alert", round(took))
            silence = _silence(alerts, tenant, silently)
            _raise(cluster, tenant, silently, seconds=600)
            cluster.wait("the silenced alert", lambda: _suppressed(alerts, silently), seconds=120)
            took = _wait_for_delivery(cluster, loudly, "resolved", seconds=240)
            evidence.figure("alerts", "seconds from then until the webhook got the resolution", round(took))
            assert not _delivered(cluster, silently, "firing"), "it was delivered although it was silenced"
            alerts.delete(f"/api/v2/silence/{silence}")
            _wait_for_delivery(cluster, silently, "firing", seconds=150)
            evidence.count("alerts", "alerts raised", 2)
            evidence.count("alerts", "deliveries", 3)
    finally:
        for name in (loudly, silently):
            cluster.delete("prometheusrule", name.lower(), "-n", tenant)
        cluster.delete("alertmanagerconfig", CONFIG, "-n", tenant)
        cluster.delete("secret", CONFIG, "-n", tenant)
        cluster.delete("pod", WEBHOOK, "-n", OTHER_NAMESPACE)


@pytest.mark.promise("dashboard")
def test_every_panel_returns_data(
    cluster: LiveCluster, platform: PlatformUnderTest, metrics: Api, evidence: Evidence
) -> None:
    """Every query returns data; those over kube-state-metrics only if the cluster has it."""
    _predict(cluster, platform)
    has_state = bool(metrics.query("kube_pod_info"))
    names_containers = bool(metrics.query('container_cpu_usage_seconds_total{container!=""}'))
    variables = {"$tenant": "|".join(platform.tenants), "$model_version": ".+", "$__rate_interval": "2m"}
    empty: dict[str, str] = {}

    def reason() -> str:
        empty.clear()
        for panel in PANELS:
            for query in panel.queries:
                expression = query.expr
                for name, value in variables.items():
                    expression = expression.replace(name, value)
                if "container_" in expression and not names_containers:
                    expression = re.sub(r',container="[^"]+"', "", expression)
                    evidence.note(
                        "dashboard",
                        "cAdvisor does not name containers in this cluster: its queries used whole pods",
                    )
                if "kube_" in expression and not has_state:
                    evidence.not_tested("dashboard", "queries over kube-state-metrics, which the cluster does not have")
                elif any(name in expression for name in contract.FEATURE_METRICS):
                    evidence.note("dashboard", "the queries about features are those of ONNX models, in their own row")
                elif not metrics.query(expression):
                    empty[f"{panel.title}: {query.legend}"] = expression
        return f"{len(empty)} queries are empty: {sorted(empty)}" if empty else ""

    try:
        cluster.wait("data in every panel", reason, seconds=300)
    finally:
        evidence.count("dashboard", "panels", len(PANELS))
        evidence.count("dashboard", "queries", sum(len(panel.queries) for panel in PANELS))
    assert len(PANELS) == 8


@pytest.mark.promise("grafana")
def test_grafana_answers_on_its_node_port(cluster: LiveCluster, platform: PlatformUnderTest) -> None:
    """Grafana's Service has the node port 30080."""
    del platform
    services = cluster.items("services", "-n", "monitoring", "-l", "app.kubernetes.io/name=grafana")
    if not services:
        pytest.skip("this cluster has no Grafana")
    assert [port["nodePort"] for port in services[0]["spec"]["ports"]] == [30080]


def _up(metrics: Api) -> set[tuple[str, str]]:
    found = [each["metric"] for each in metrics.query("up == 1")]
    return {(each["namespace"], each["pod"]) for each in found if "pod" in each}


def _predict(cluster: LiveCluster, platform: PlatformUnderTest) -> None:
    """Send a few requests to every pod, so that every counter has a value."""
    for tenant in platform.tenants:
        for pod in cluster.ready_pods(tenant):
            order = {
                "host": pod["status"]["podIP"],
                "port": 8000,
                "path": "/predict",
                "rate": 5,
                "connections": 1,
                "seconds": 2,
                "characters": 100,
                "requests_per_connection": 0,
                "latencies": False,
            }
            cluster.python(tenant, pod["metadata"]["name"], SCRIPT, order, container="inference")


def _make_receiver(cluster: LiveCluster, platform: PlatformUnderTest, tenant: str) -> None:
    """A webhook, and the AlertmanagerConfig of a tenant's receiver with shorter intervals."""
    cluster.apply(pods.listener(WEBHOOK, namespace=OTHER_NAMESPACE, image=platform.image))
    cluster.wait_for_pods(OTHER_NAMESPACE, [WEBHOOK])
    address = cluster.kubectl.get("pod", WEBHOOK, "-n", OTHER_NAMESPACE)["status"]["podIP"]
    spec = alertmanager_config_spec(WebhookReceiver(type="webhook", secret_name=CONFIG))
    spec["route"] |= {"groupWait": "1s", "groupInterval": "5s"}
    metadata = {"name": CONFIG, "namespace": tenant}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    config = {"apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "AlertmanagerConfig", "metadata": metadata}
    cluster.apply({**secret, "stringData": {"url": f"http://{address}:8000/"}}, {**config, "spec": spec})


def _config_reason(alerts: Api, tenant: str) -> str:
    loaded = alerts.get("/api/v2/status")["config"]["original"]
    return "" if f"{tenant}/{CONFIG}/tenant" in loaded else "Alertmanager has not loaded it yet"


def _raise(cluster: LiveCluster, tenant: str, name: str, *, seconds: int) -> float:
    """Create a rule whose alert fires at once, and is resolved after `seconds`."""
    end = time.time() + seconds
    rule = {
        "alert": name,
        "expr": f"(vector(time()) < {end:.0f}) * 0 + 1",
        "labels": {"namespace": tenant, "severity": "warning"},
        "annotations": {"summary": "test alert"},
    }
    cluster.apply(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": name.lower(), "namespace": tenant},
            "spec": {"groups": [{"name": name, "interval": "5s", "rules": [rule]}]},
        }
    )
    return end


def _silence(alerts: Api, tenant: str, name: str) -> str:
    now = datetime.now(UTC)
    matchers = [
        {"name": key, "value": value, "isRegex": False, "isEqual": True}
        for key, value in (("namespace", tenant), ("alertname", name))
    ]
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(minutes=20)).isoformat()}
    said = alerts.post("/api/v2/silences", {"matchers": matchers, **times, "createdBy": "e2e", "comment": "a test"})
    return str(said["silenceID"])


def _suppressed(alerts: Api, name: str) -> str:
    found = [each for each in alerts.get("/api/v2/alerts") if each["labels"]["alertname"] == name]
    return "" if found and found[0]["status"]["state"] == "suppressed" else "Alertmanager has not silenced it yet"


def _delivered(cluster: LiveCluster, name: str, status: str) -> bool:
    lines = cluster.logs(OTHER_NAMESPACE, WEBHOOK).splitlines()
    bodies = [json.loads(line)["body"] for line in lines if '"POST"' in line and line.endswith("}")]
    alerts = [alert for body in bodies for alert in json.loads(body)["alerts"]]
    return any((alert["labels"]["alertname"], alert["status"]) == (name, status) for alert in alerts)


def _wait_for_delivery(cluster: LiveCluster, name: str, status: str, *, seconds: float) -> float:
    return cluster.wait(
        f"{name} to reach the webhook ({status})",
        lambda: "" if _delivered(cluster, name, status) else "not delivered yet",
        seconds=seconds,
    )
