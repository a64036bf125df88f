"""What the Helm charts render (tests/charts) fits the rules, panels and permissions of this repository."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
import yaml

from constructs_lib.monitoring.panels import PANELS
from constructs_lib.monitoring.routing import SAME_CAUSE
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import AlertSettings
from tests.paths import ROOT
from tests.rules import series as samples
from tests.rules.cases import CASES
from tools.chart_facts import FACTS, NAMESPACES, facts, pinned, values_digest

RECORDED: dict[str, dict[str, Any]] = {
    chart: yaml.safe_load((FACTS / f"{chart}.yaml").read_text()) for chart in NAMESPACES
}
STACK = RECORDED["kube-prometheus-stack"]
PERMISSIONS: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "terraform" / "platform" / "permissions.yaml").read_text()
)
CADVISOR = "kube-prometheus-stack-kubelet /metrics/cadvisor"
KUBE_STATE_METRICS = "kube-prometheus-stack-kube-state-metrics /metrics"
ALERTS_WITHOUT_DUPLICATE = {
    "InfoInhibitor": "inhibits alerts of severity info; has a receiver of its own",
    "KubeCPUOvercommit": "of the cluster",
    "KubeDaemonSetMisScheduled": "tenants have no DaemonSet",
    "KubeDaemonSetNotScheduled": "tenants have no DaemonSet",
    "KubeDaemonSetRolloutStuck": "tenants have no DaemonSet",
    "KubeDeploymentGenerationMismatch": "the Deployment controller does not run; no alert of ours reports it",
    "KubeJobFailed": "no alert of ours reports Jobs",
    "KubeJobNotCompleted": "no alert of ours reports Jobs",
    "KubeMemoryOvercommit": "of the cluster",
    "KubeStatefulSetGenerationMismatch": "tenants have no StatefulSet",
    "KubeStatefulSetReplicasMismatch": "tenants have no StatefulSet",
    "KubeStatefulSetUpdateNotRolledOut": "tenants have no StatefulSet",
    "Watchdog": "always fires; has a receiver of its own",
}
"""Alerts of the chart that no alert of a tenant inhibits, and why."""


def survives(labels: dict[str, str], rules: Iterable[dict[str, Any]]) -> bool:
    """Whether Prometheus keeps a sample after these metric relabelling rules (actions `drop` and `keep`)."""
    for rule in rules:
        value = rule.get("separator", ";").join(labels.get(name, "") for name in rule["sourceLabels"])
        matches = re.fullmatch(rule["regex"], value) is not None
        if rule["action"] not in {"drop", "keep"}:
            raise AssertionError(f"unknown relabelling action: {rule}")
        if matches == (rule["action"] == "drop"):
            return False
    return True


def labels_of(series: str) -> dict[str, str]:
    """Labels of a series in promtool's notation, including its name."""
    name, _, rest = series.partition("{")
    return {"__name__": name, **dict(re.findall(r'(\w+)="([^"]*)"', rest))}


def names_in_expressions() -> set[str]:
    """Every metric of the kubelet, cAdvisor and kube-state-metrics that a rule or a panel uses."""
    groups = rule_groups("t", "t-svc", "t", "t", AlertSettings())
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    expressions += [query.expr for panel in PANELS for query in panel.queries]
    return {name for text in expressions for name in re.findall(r"\b((?:kube|kubelet|container)_\w+)\{", text)}


def is_exported(metric: str) -> bool:
    """Whether kube-state-metrics exports a metric: the resource in its name is one of the collectors."""
    return any(metric.startswith(f"kube_{collector.removesuffix('s')}") for collector in STACK["collectors"])


def sampled() -> set[str]:
    """The series of the promtool cases that kube-state-metrics and cAdvisor would expose."""
    found = set(samples.autoscaler(1, current=1)) | set(samples.deployment(1, wanted=1, ready=1, available=1))
    for cases in CASES.values():
        found |= set(cases.above.series) | set(cases.below.series) | set(cases.low_traffic.series)
    return {each for each in found if each.startswith(("kube", "container_"))}


@pytest.mark.parametrize("chart", NAMESPACES)
def test_facts_belong_to_the_pinned_version_and_the_current_values(chart: str) -> None:
    """After a change of the version or the values `make chart-facts` must be run."""
    assert RECORDED[chart]["version"] == pinned(chart)["version"]
    assert RECORDED[chart]["values_sha256"] == values_digest(chart), "run `make chart-facts`"


def test_relabelling_drops_what_the_chart_drops() -> None:
    """The interpretation of the rules below finds a series that the chart drops."""
    rules = STACK["relabelings"][CADVISOR]
    assert not survives(labels_of('container_spec_memory_limit_bytes{pod="p",id="/a"}'), rules)
    assert not survives(labels_of('container_memory_working_set_bytes{id="/a",pod=""}'), rules)
    assert survives(labels_of('container_memory_working_set_bytes{id="/a",pod="p"}'), rules)


def test_every_metric_of_rules_and_panels_reaches_prometheus() -> None:
    """Metrics of cAdvisor survive the chart's relabelling, and kube-state-metrics exports the others."""
    names = names_in_expressions()
    assert {"container_memory_working_set_bytes", "kube_resourcequota"} <= names
    of_pod = {"pod": "p", "id": "/kubepods/p", "container": "inference"}
    cadvisor = {name for name in names if name.startswith("container_")}
    dropped = {each for each in cadvisor if not survives({"__name__": each, **of_pod}, STACK["relabelings"][CADVISOR])}
    assert not dropped
    assert not [each for each in names - cadvisor if not is_exported(each)]


def test_every_series_of_the_alert_cases_reaches_prometheus() -> None:
    """The cases have no series that the chart drops or that kube-state-metrics does not export."""
    found = sampled()
    assert len(found) > 10
    for series in found:
        labels = labels_of(series)
        is_cadvisor = labels["__name__"].startswith("container_")
        assert survives(labels, STACK["relabelings"][CADVISOR if is_cadvisor else KUBE_STATE_METRICS]), series
        assert is_cadvisor or is_exported(labels["__name__"]), series


def test_no_permission_without_a_reason() -> None:
    """permissions.yaml lists exactly the permissions that the charts render, each with a reason."""
    rendered = {
        (account, scope, line)
        for recorded in RECORDED.values()
        for account, scopes in recorded["permissions"].items()
        for scope, lines in scopes.items()
        for line in lines
    }
    listed = {
        (account, entry["scope"], line)
        for account, entries in PERMISSIONS.items()
        for entry in entries
        if len(entry["reason"]) > 20
        for line in entry["allows"]
    }
    assert listed == rendered
    assert set(PERMISSIONS) == {account for recorded in RECORDED.values() for account in recorded["permissions"]}


def test_only_two_controllers_read_secrets_of_other_namespaces() -> None:
    """Grafana, Prometheus and kube-state-metrics cannot read the Secrets of tenants; Envoy Gateway is optional."""
    accounts = {
        account
        for recorded in RECORDED.values()
        for account, scopes in recorded["permissions"].items()
        if any(line.startswith(("secrets:", "*")) for line in scopes.get("cluster", []))
    }
    assert accounts == {"envoy-gateway", "kube-prometheus-stack-operator"}


def test_only_the_operator_may_create_pods_in_other_namespaces() -> None:
    """Envoy Gateway creates its proxies in its own namespace, and nothing in the tenants'."""
    workloads = re.compile(r"((apps|batch)/\S+|pods|\*): .*(create|\*)")
    accounts = {
        account
        for recorded in RECORDED.values()
        for account, scopes in recorded["permissions"].items()
        if any(workloads.match(line) for line in scopes.get("cluster", []))
    }
    assert accounts == {"kube-prometheus-stack-operator"}


def test_every_alert_of_the_chart_is_inhibited_or_has_no_duplicate() -> None:
    """An alert that the chart adds must be compared with ours."""
    known = {name for others in SAME_CAUSE.values() for name in others}
    rendered = {each["alert"] for each in STACK["alerts"]}
    assert known <= rendered
    assert rendered - known == {name for name, reason in ALERTS_WITHOUT_DUPLICATE.items() if reason} & rendered


def test_quota_alerts_of_the_chart_are_disabled() -> None:
    """Quotas of tenants exceed the cluster by design, so these would always fire on a small cluster."""
    assert not {each["alert"] for each in STACK["alerts"]} & {"KubeCPUQuotaOvercommit", "KubeMemoryQuotaOvercommit"}


def test_target_down_of_the_chart_waits_for_ours() -> None:
    """InferenceTargetDown fires first and inhibits it."""
    (duration,) = [each["for"] for each in STACK["alerts"] if each["alert"] == "TargetDown"]
    assert int(duration.removesuffix("m")) > AlertSettings().not_ready_minutes


def test_facts_are_read_from_rendered_objects() -> None:
    """Permissions follow bindings to roles, a line per resource; a role of Kubernetes is named."""
    objects: list[dict[str, Any]] = [
        {"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "n"}},
        {"kind": "Role", "metadata": {"name": "r"},
         "rules": [{"apiGroups": ["", "g"], "resources": ["x"], "verbs": ["b", "a"]}]},
        {"kind": "RoleBinding", "metadata": {"name": "r", "namespace": "n"}, "roleRef": {"kind": "Role", "name": "r"},
         "subjects": [{"name": "a"}]},
        {"kind": "ClusterRoleBinding", "metadata": {"name": "v"}, "roleRef": {"kind": "ClusterRole", "name": "view"},
         "subjects": [{"name": "a"}]},
    ]  # fmt: skip
    assert facts("metrics-server", objects)["permissions"] == {
        "a": {"n": ["g/x: a b", "x: a b"], "cluster": ["ClusterRole view of Kubernetes"]}
    }
