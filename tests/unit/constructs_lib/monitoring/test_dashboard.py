"""The dashboard: eight panels that hold to the habits of Grafana's dashboard linter."""

import json
import re
from typing import Any

import pytest
import yaml

from constructs_lib.monitoring.alerts import rule_groups
from constructs_lib.monitoring.dashboard import dashboard_json
from constructs_lib.monitoring.panels import PANELS, filled
from constructs_lib.platform.alerts import RUNBOOK, AlertSettings
from inference import contract
from tests.paths import ROOT

DASHBOARD: dict[str, Any] = json.loads(dashboard_json(RUNBOOK))
BY_TITLE = {panel["title"]: panel for panel in DASHBOARD["panels"]}
TITLES = [panel.title for panel in PANELS]
GROUPS = rule_groups("t", "t-svc", "t", "t", AlertSettings())
RULES = [rule for group in GROUPS for rule in group["rules"]]
CONFIG_MAP_BYTES = 262_144
CLUSTER_METRICS = {
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_usage_seconds_total",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_pod_container_resource_requests",
}


def queries(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def test_there_are_eight_panels_in_a_grid() -> None:
    """Two a row, none over another."""
    assert len(DASHBOARD["panels"]) == 8
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]}
    assert places == {(x, y) for x in (0, 12) for y in (0, 9, 18, 27)}


def test_it_is_the_same_every_time_and_fits_a_config_map() -> None:
    """The same bytes, and far below what a client-side apply can carry."""
    assert dashboard_json(RUNBOOK) == dashboard_json(RUNBOOK)
    assert len(dashboard_json(RUNBOOK).encode()) < CONFIG_MAP_BYTES / 4


def test_runbook_address_is_the_platforms() -> None:
    """Another runbook is linked from every panel."""
    assert dashboard_json("https://runbook.example/").count("https://runbook.example/#inference") >= 8


def test_variables_are_read_from_what_is_there() -> None:
    """Data sources, tenants (several at once) and model versions."""
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "alertmanager", "tenant", "model_version"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    assert variables["datasource"]["label"] == "Data Source"
    assert (variables["alertmanager"]["type"], variables["alertmanager"]["query"]) == ("datasource", "alertmanager")
    assert variables["tenant"]["query"] == f"label_values({contract.BUILD_INFO}, namespace)"
    for name in ("tenant", "model_version"):
        assert variables[name]["multi"]
        assert variables[name]["includeAll"]
        assert variables[name]["refresh"] == 2  # when the time range changes


def test_firing_alerts_of_the_chosen_tenants_are_annotations() -> None:
    """What fired is drawn over every panel."""
    (annotation,) = DASHBOARD["annotations"]["list"]
    assert annotation["enable"]
    assert 'alertstate="firing"' in annotation["expr"]
    assert 'namespace=~"$tenant"' in annotation["expr"]


def test_nobody_edits_it_in_place() -> None:
    """What is provisioned is changed in code."""
    assert DASHBOARD["editable"] is False


@pytest.mark.parametrize("title", TITLES)
def test_panel_has_what_a_reader_needs(title: str) -> None:
    """Unit, description, thresholds, legend, queries, the data source of the variable, and no hidden query."""
    panel = BY_TITLE[title]
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"]) > 40
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert defaults["thresholds"]["steps"][1:] or panel["fieldConfig"]["overrides"]
    assert panel["options"]["legend"]["showLegend"]
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["legendFormat"]
        assert not target.get("hide")
        assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("title", TITLES)
def test_panel_links_to_the_runbook_and_to_the_tenants_alerts(title: str) -> None:
    """Each link of the runbook is of an alert that exists."""
    links = {each["title"]: each["url"] for each in BY_TITLE[title]["links"]}
    alerts = {rule["alert"] for rule in RULES if "alert" in rule}
    runbooks = {name.removeprefix("Runbook: ") for name in links if name.startswith("Runbook: ")}
    assert runbooks
    assert runbooks <= alerts
    for name in runbooks:
        assert links[f"Runbook: {name}"].endswith(f"#{name.lower()}")
    assert "${tenant:regex}" in links["Alerts of the tenant"]


@pytest.mark.parametrize("title", TITLES)
def test_queries_obey_the_linter(title: str) -> None:
    """Every selector is of the chosen tenant, every rate of Grafana's own interval, every counter inside one."""
    for expression in queries(BY_TITLE[title]):
        assert all('namespace=~"$tenant"' in each for each in re.findall(r"\{([^}]*)\}", expression))
        assert set(re.findall(r"\[([^\]]*)\]", expression)) <= {"$__rate_interval"}
        for counter in re.finditer(r"\w+_(total|bucket|sum|count)\{", expression):
            assert expression[: counter.start()].endswith("rate("), expression


def test_named_metrics_exist() -> None:
    """Own ones come from the contract, recorded ones from a rule, and the cluster's are those that are listed here."""
    own = {name for metric in contract.METRICS for name in (metric, *(f"{metric}_{part}" for part in (
        "bucket", "sum", "count")))}  # fmt: skip
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    named = {
        name
        for panel in DASHBOARD["panels"]
        for expression in queries(panel)
        for name in re.findall(r"([a-z_][\w:]*)\{", expression)
    }
    assert named <= own | recorded | CLUSTER_METRICS
    assert named >= CLUSTER_METRICS


def test_what_has_another_unit_goes_to_the_right() -> None:
    """Two units on one axis would mislead."""
    for panel in PANELS:
        overrides = BY_TITLE[panel.title]["fieldConfig"]["overrides"]
        right = {each["matcher"]["options"] for each in overrides if {"id": "custom.axisPlacement", "value": "right"}
                 in each["properties"]}  # fmt: skip
        wanted = {
            target["refId"]
            for target, query in zip(BY_TITLE[panel.title]["targets"], panel.queries, strict=True)
            if query.unit
        }
        assert right == wanted


def test_filled_queries_have_no_variable_left() -> None:
    """What Prometheus is asked directly is complete."""
    for panel in PANELS:
        for query in panel.queries:
            assert "$" not in filled(query.expr)


def test_dist_carries_it() -> None:
    """The ConfigMap in dist/ holds these very bytes."""
    documents = yaml.safe_load_all((ROOT / "dist" / "0-platform.k8s.yaml").read_text())
    (config_map,) = [each for each in documents if each["kind"] == "ConfigMap"]
    assert list(config_map["data"].values()) == [dashboard_json(RUNBOOK)]
