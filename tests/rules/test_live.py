"""The service under a real Prometheus and a real Alertmanager: metrics exist and queries return data."""

import json
import re
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from constructs_lib.monitoring.panel_queries import filled
from constructs_lib.monitoring.panels import PANELS
from inference import contract
from tenantry.cli import app
from tenantry.local.servers import TenantServer
from tests.example_platform import EXAMPLE
from tests.paths import ROOT
from tests.rules import promtool
from tests.rules.conftest import RUNTIMES, TENANTS, Live, wait_for

OWN = re.compile(r"\binference_[a-z_]+\b(?!\w*:)")
RULES = {
    tenant: [rule for group in promtool.groups(runtime=runtime) for rule in group["rules"]]
    for tenant, runtime in RUNTIMES.items()
}
EXPRESSIONS = {
    **{f"panel {panel.title}: {query.legend}": filled(query.expr) for panel in PANELS for query in panel.queries},
    **{f"rule {rule['record']}": rule["expr"] for rule in RULES["tenant-a"] if "record" in rule},
}
LEGENDS = {
    f"panel {panel.title}: {query.legend}": set(re.findall(r"{{(\w+)}}", query.legend))
    for panel in PANELS
    for query in panel.queries
}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
RUNBOOK_QUERIES = [
    each.replace('\\"', '"').replace("$T", "tenant-a") for each in re.findall(r'^promql "(.+)"$', RUNBOOK, re.MULTILINE)
]
CLUSTER_PREFIXES = ("kube_", "container_")
_NOT_THERE: dict[str, tuple[str, ...]] = {
    "text": contract.FEATURE_METRICS,
    "onnx": (contract.BASELINE, contract.UNKNOWN_WORDS, contract.TEXT_LENGTH),
}
"""Metrics that models of a runtime do not have."""


def own_names(expression: str) -> set[str]:
    """Metrics of the service in an expression; recorded series (`level:metric:operations`) are not included."""
    return set(OWN.findall(re.sub(r"\w+:[\w:]+", "", re.sub(r'"[^"]*"', '""', expression))))


def test_the_queries_of_the_runbook_are_found() -> None:
    """The pattern matches them, so that the test below checks something."""
    assert len(RUNBOOK_QUERIES) > 10


def test_own_names_exclude_recorded_series() -> None:
    """Of an expression with both kinds of names, only the service's metric is found."""
    expression = 'namespace:inference_requests_failed:budget{namespace="inference_x"} + inference_ready{a="b"}'
    assert own_names(expression) == {"inference_ready"}


def test_every_metric_used_is_scraped(live: Live) -> None:
    """Prometheus has every metric that a rule or panel uses, for each tenant whose runtime has it."""
    rules = [rule["expr"] for each in RULES.values() for rule in each]
    named = set().union(*(own_names(text) for text in [*EXPRESSIONS.values(), *rules]))
    assert named >= {contract.REQUESTS, contract.SHED, contract.BASELINE, *contract.FEATURE_METRICS}

    def missing() -> str:
        series = live.stack.query('{__name__=~"inference_.+"}')
        scraped = {(each["metric"]["namespace"], each["metric"]["__name__"]) for each in series}
        gone = {
            (tenant, name) for tenant in RUNTIMES for name in named if not name.startswith(_NOT_THERE[RUNTIMES[tenant]])
        } - scraped
        return f"not scraped: {sorted(gone)}" if gone else ""

    wait_for(missing)


@pytest.mark.parametrize("name", [name for name, text in EXPRESSIONS.items() if not any(
    each in text for each in CLUSTER_PREFIXES)])  # fmt: skip
def test_every_query_over_own_metrics_returns_data(live: Live, name: str) -> None:
    """Queries of panels and recording rules return numbers, with the labels that the legends use."""
    expression = EXPRESSIONS[name]

    def empty() -> str:
        series = live.stack.query(expression)
        values = [each["value"][1] for each in series]
        assert all(LEGENDS.get(name, set()) <= set(each["metric"]) for each in series), series
        return "" if values and "NaN" not in values else f"{expression} gives {values}"

    wait_for(empty)


@pytest.mark.parametrize("expression", RUNBOOK_QUERIES)
def test_every_query_of_the_runbook_is_valid(live: Live, expression: str) -> None:
    """Prometheus accepts the runbook's queries, and the metrics in them exist."""
    live.stack.query(expression)  # raises if Prometheus rejects it
    metrics = (*contract.METRICS, *contract.FEATURE_METRICS)
    names = {name for metric in metrics for name in (metric, f"{metric}_sum", f"{metric}_count")}
    assert own_names(expression) <= names


def test_every_rule_is_healthy(live: Live) -> None:
    """Prometheus evaluates all rules of all tenants without an error."""

    def unhealthy() -> str:
        rules = live.stack.rules()
        unhealthy_rules = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}
        return (
            f"{len(rules)} rules, unhealthy: {unhealthy_rules}"
            if unhealthy_rules or len(rules) != sum(map(len, RULES.values()))
            else ""
        )

    wait_for(unhealthy, seconds=90)  # one group is evaluated once a minute


def test_requests_are_counted_by_outcome(live: Live) -> None:
    """Valid, invalid and shed requests are counted under their outcome."""

    def uncounted() -> str:
        query = f'sum by (namespace, outcome) ({contract.REQUESTS}{{route="predict"}}) > 0'
        found = {(each["metric"]["namespace"], each["metric"]["outcome"]) for each in live.stack.query(query)}
        wanted = {(tenant, outcome) for tenant in TENANTS for outcome in ("ok", "client_error", "shed")}
        return f"not counted: {sorted(wanted - found)}" if wanted - found else ""

    wait_for(uncounted)


def test_an_alert_reaches_its_tenants_receiver_and_a_silence_suppresses_it(live: Live) -> None:
    """When a tenant's process ends only its receiver is notified, unless `tenantry silence` has silenced it."""
    address = ["--alertmanager", live.stack.alertmanager]
    silenced = _command("tenant-a", "--for", "30m", "--reason", "a test", *address)[0]
    for tenant in TENANTS:
        _kill(live.servers[tenant])
    wait_for(lambda: "" if live.tenant.received("InferenceTargetDown", severity="critical") else "not delivered")
    assert {each["labels"]["namespace"] for each in live.tenant.alerts} == {"tenant-b"}
    wait_for(lambda: "" if _state(live, "tenant-a") == "suppressed" else "tenant-a's alert is not suppressed")
    assert not [each for each in live.platform.alerts if each["labels"]["namespace"] == "tenant-a"
                and each["labels"]["alertname"] == "InferenceTargetDown"]  # fmt: skip
    assert not [each for each in live.platform.alerts if each["labels"]["namespace"] == "tenant-b"]

    listed = _command("--list", *address)
    assert [(each["id"], each["tenant"], each["reason"]) for each in listed] == [(silenced["id"], "tenant-a", "a test")]
    assert _command("tenant-a", "--expire", silenced["id"], *address)[0]["state"] == "expired"
    wait_for(lambda: "" if live.platform.received("InferenceTargetDown", namespace="tenant-a") else "still silenced")


def test_consequences_of_a_target_down_are_inhibited(live: Live) -> None:
    """Without a pod to scrape there are no metrics: Alertmanager suppresses InferenceMetricsAbsent."""
    for tenant in TENANTS:
        if live.servers[tenant].process.poll() is None:
            _kill(live.servers[tenant])

    def not_suppressed() -> str:
        absent = [each for each in _alerts(live) if each["labels"]["alertname"] == "InferenceMetricsAbsent"]
        states = [each["status"]["state"] for each in absent]
        return "" if states == ["suppressed"] * len(TENANTS) else f"InferenceMetricsAbsent: {states}"

    wait_for(not_suppressed)


def _kill(server: TenantServer) -> None:
    server.process.kill()
    server.process.wait(10)


def _command(*arguments: str) -> list[dict[str, str]]:
    """`tenantry silence`, as JSON."""
    result = CliRunner().invoke(app, ["silence", *arguments, "--format", "json", "--file", str(EXAMPLE)])
    assert result.exit_code == 0, result.output
    found: list[dict[str, str]] = json.loads(result.stdout)
    return found


def _alerts(live: Live) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = httpx.get(
        f"{live.stack.alertmanager}/api/v2/alerts", timeout=10, trust_env=False
    ).json()
    return alerts


def _state(live: Live, tenant: str) -> str:
    wanted = {"namespace": tenant, "alertname": "InferenceTargetDown", "severity": "critical"}
    found = [each["status"]["state"] for each in _alerts(live) if wanted.items() <= each["labels"].items()]
    return str(found[0]) if found else ""
