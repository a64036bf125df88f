"""The real service under a real Prometheus and a real Alertmanager: every name exists, every query answers."""

import json
import re
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from constructs_lib.monitoring.panels import PANELS, filled
from inference import contract
from tenantry.cli import app
from tenantry.local.servers import Server
from tests.paths import ROOT
from tests.rules import promtool
from tests.rules.conftest import TENANTS, Live, wait_for

OWN = re.compile(r"\binference_[a-z_]+\b(?!\w*:)")
RULES = [rule for group in promtool.groups() for rule in group["rules"]]
EXPRESSIONS = {
    **{f"panel {panel.title}: {query.legend}": filled(query.expr) for panel in PANELS for query in panel.queries},
    **{f"rule {rule['record']}": rule["expr"] for rule in RULES if "record" in rule},
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
OF_THE_CLUSTER = ("kube_", "container_")


def own_names(expression: str) -> set[str]:
    """Metrics of the service's own that an expression names; recorded series (`level:metric:operations`) are not."""
    return set(OWN.findall(re.sub(r"\w+:[\w:]+", "", re.sub(r'"[^"]*"', '""', expression))))


def test_the_runbook_has_queries() -> None:
    """They are found where they stand."""
    assert len(RUNBOOK_QUERIES) > 10


def test_own_names_are_found() -> None:
    """Both kinds of names stand in one expression, and only the service's own is found."""
    expression = 'namespace:inference_requests_failed:budget{namespace="inference_x"} + inference_ready{a="b"}'
    assert own_names(expression) == {"inference_ready"}


def test_every_metric_that_is_named_is_scraped(live: Live) -> None:
    """Metrics in rules and panels are series of the real scrape, for both tenants."""
    named = set().union(*(own_names(text) for text in [*EXPRESSIONS.values(), *(rule["expr"] for rule in RULES)]))
    assert named >= {contract.REQUESTS, contract.SHED, contract.BASELINE}

    def missing() -> str:
        series = live.stack.query('{__name__=~"inference_.+"}')
        scraped = {(each["metric"]["namespace"], each["metric"]["__name__"]) for each in series}
        gone = {(tenant, name) for tenant in TENANTS for name in named} - scraped
        return f"not scraped: {sorted(gone)}" if gone else ""

    wait_for(missing)


@pytest.mark.parametrize("name", [name for name, text in EXPRESSIONS.items() if not any(
    each in text for each in OF_THE_CLUSTER)])  # fmt: skip
def test_every_query_over_own_metrics_returns_data(live: Live, name: str) -> None:
    """A panel's queries and the recording rules have values that are numbers, and the labels that legends name."""
    expression = EXPRESSIONS[name]

    def empty() -> str:
        series = live.stack.query(expression)
        values = [each["value"][1] for each in series]
        assert all(LEGENDS.get(name, set()) <= set(each["metric"]) for each in series), series
        return "" if values and "NaN" not in values else f"{expression} gives {values}"

    wait_for(empty)


@pytest.mark.parametrize("expression", RUNBOOK_QUERIES)
def test_every_query_of_the_runbook_is_sound(live: Live, expression: str) -> None:
    """What the runbook tells people to ask is PromQL, over metrics that exist."""
    live.stack.query(expression)  # raises where Prometheus refuses it
    names = {name for metric in contract.METRICS for name in (metric, f"{metric}_sum", f"{metric}_count")}
    assert own_names(expression) <= names


def test_every_rule_is_healthy(live: Live) -> None:
    """Prometheus evaluates all rules of both tenants without an error."""

    def unhealthy() -> str:
        rules = live.stack.rules()
        sick = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}
        return f"{len(rules)} rules, sick: {sick}" if sick or len(rules) != len(TENANTS) * len(RULES) else ""

    wait_for(unhealthy, seconds=90)  # one group is evaluated once a minute


def test_outcomes_are_counted_apart(live: Live) -> None:
    """Good, wrong and shed requests appear under their own outcome, and the shed ones by reason."""

    def uncounted() -> str:
        query = f'sum by (namespace, outcome) ({contract.REQUESTS}{{route="predict"}}) > 0'
        found = {(each["metric"]["namespace"], each["metric"]["outcome"]) for each in live.stack.query(query)}
        wanted = {(tenant, outcome) for tenant in TENANTS for outcome in ("ok", "client_error", "shed")}
        return f"not counted: {sorted(wanted - found)}" if wanted - found else ""

    wait_for(uncounted)


def test_alert_is_delivered_and_a_silence_stops_the_next(live: Live) -> None:
    """A tenant's process ends: its receiver hears of it, nobody else; silenced by the command, it hears no more."""
    address = ["--alertmanager", live.stack.alertmanager]
    silenced = _command("tenant-a", "--for", "30m", "--reason", "a test", *address)[0]
    for tenant in TENANTS:
        _kill(live.servers[tenant])
    wait_for(lambda: "" if live.tenant.heard("InferenceTargetDown", severity="critical") else "not delivered")
    assert {each["labels"]["namespace"] for each in live.tenant.alerts} == {"tenant-b"}
    wait_for(lambda: "" if _state(live, "tenant-a") == "suppressed" else "tenant-a's alert is not held back")
    assert not [each for each in live.platform.alerts if each["labels"]["namespace"] == "tenant-a"
                and each["labels"]["alertname"] == "InferenceTargetDown"]  # fmt: skip
    assert not [each for each in live.platform.alerts if each["labels"]["namespace"] == "tenant-b"]

    listed = _command("--list", *address)
    assert [(each["id"], each["tenant"], each["reason"]) for each in listed] == [(silenced["id"], "tenant-a", "a test")]
    assert _command("tenant-a", "--expire", silenced["id"], *address)[0]["state"] == "expired"
    wait_for(lambda: "" if live.platform.heard("InferenceTargetDown", namespace="tenant-a") else "still silent")


def test_what_follows_from_a_target_down_is_held_back(live: Live) -> None:
    """With no pod to scrape there are no metrics either, which Alertmanager does not tell on top."""
    for tenant in TENANTS:
        if live.servers[tenant].process.poll() is None:
            _kill(live.servers[tenant])

    def loud() -> str:
        absent = [each for each in _alerts(live) if each["labels"]["alertname"] == "InferenceMetricsAbsent"]
        states = [each["status"]["state"] for each in absent]
        return "" if states == ["suppressed"] * len(TENANTS) else f"InferenceMetricsAbsent: {states}"

    wait_for(loud)


def _kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(10)


def _command(*arguments: str) -> list[dict[str, str]]:
    """`tenantry silence`, as JSON."""
    result = CliRunner().invoke(app, ["silence", *arguments, "--format", "json", "--file", str(ROOT / "platform.yaml")])
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
