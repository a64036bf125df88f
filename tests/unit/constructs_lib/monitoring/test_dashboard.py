"""The dashboard: eight panels that follow the rules of Grafana's dashboard-linter."""

import json
import re
from typing import Any

import pytest
import yaml

from constructs_lib.monitoring.dashboard import dashboard_json
from constructs_lib.monitoring.panel_queries import filled
from constructs_lib.monitoring.panels import PANELS, TENANT_COLORS
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import RUNBOOK, AlertSettings
from inference import contract
from tests.example_platform import example_dist

TENANTS = ("tenant-a", "tenant-b")
DASHBOARD: dict[str, Any] = json.loads(dashboard_json(RUNBOOK, TENANTS))
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
    """Two per row, without overlap."""
    assert len(DASHBOARD["panels"]) == 8
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]}
    assert places == {(x, y) for x in (0, 12) for y in (0, 9, 18, 27)}


def test_dashboard_is_written_for_the_grafana_that_is_installed() -> None:
    """Grafana 13 has schema 42. The SDK's model of the dashboard reads it back without loss."""
    # Imported here: constructs_lib silences a warning of these modules when it imports them first.
    from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415
    from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415

    assert DASHBOARD["schemaVersion"] == 42
    read = json.loads(json.dumps(Dashboard.from_json(DASHBOARD), cls=JSONEncoder))
    for annotation in read["annotations"]["list"]:
        del annotation["placement"]
    assert read == DASHBOARD


def test_toggles_and_links_stay_where_they_can_be_seen() -> None:
    """Not in the menu into which Grafana 12.3 and newer moves what has the placement `inControlsMenu`."""
    assert "placement" not in DASHBOARD["annotations"]["list"][0]
    assert [link for panel in DASHBOARD["panels"] for link in panel["links"] if "placement" in link] == []


def test_dashboard_is_deterministic_and_fits_a_config_map() -> None:
    """The bytes are the same every time, and far below the limit of a client-side apply."""
    assert dashboard_json(RUNBOOK, TENANTS) == dashboard_json(RUNBOOK, TENANTS)
    assert len(dashboard_json(RUNBOOK, TENANTS).encode()) < CONFIG_MAP_BYTES / 4


def test_dashboard_of_many_tenants_fits_a_config_map() -> None:
    """Its size stays bounded, however many tenants there are and however long their names."""
    names = [f"{number:04}-{'n' * 45}" for number in range(3_000)]
    assert len(dashboard_json(RUNBOOK, names).encode()) < CONFIG_MAP_BYTES


def test_panels_link_to_the_given_runbook() -> None:
    """Every panel links to the runbook that is passed."""
    assert dashboard_json("https://runbook.example/", TENANTS).count("https://runbook.example/#inference") >= 8


def test_variables_are_queried() -> None:
    """Data sources, tenants and model versions; several tenants and versions can be selected."""
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


def test_firing_alerts_of_the_selected_tenants_are_annotations() -> None:
    """Firing alerts are drawn on every panel."""
    (annotation,) = DASHBOARD["annotations"]["list"]
    assert annotation["enable"]
    assert 'alertstate="firing"' in annotation["expr"]
    assert 'namespace=~"$tenant"' in annotation["expr"]


def test_dashboard_is_read_only() -> None:
    """A provisioned dashboard is changed in code."""
    assert DASHBOARD["editable"] is False


@pytest.mark.parametrize("title", TITLES)
def test_panel_has_unit_description_thresholds_and_legend(title: str) -> None:
    """It also has queries with the data source of the variable, and none of them is hidden."""
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
    """Every runbook link belongs to an existing alert."""
    links = {each["title"]: each["url"] for each in BY_TITLE[title]["links"]}
    alerts = {rule["alert"] for rule in RULES if "alert" in rule}
    runbooks = {name.removeprefix("Runbook: ") for name in links if name.startswith("Runbook: ")}
    assert runbooks
    assert runbooks <= alerts
    for name in runbooks:
        assert links[f"Runbook: {name}"].endswith(f"#{name.lower()}")
    assert "${tenant:regex}" in links["Alerts of the selected tenants"]


@pytest.mark.parametrize("title", TITLES)
def test_queries_follow_the_linter(title: str) -> None:
    """Selectors match the selected tenants, rates use `$__rate_interval`, and counters are inside a rate."""
    for expression in queries(BY_TITLE[title]):
        assert all('namespace=~"$tenant"' in each for each in re.findall(r"\{([^}]*)\}", expression))
        assert set(re.findall(r"\[([^\]]*)\]", expression)) <= {"$__rate_interval"}
        for counter in re.finditer(r"\w+_(total|bucket|sum|count)\{", expression):
            assert expression[: counter.start()].endswith("rate("), expression


def test_metrics_in_queries_exist() -> None:
    """They come from the contract, from a recording rule, or from the list of cluster metrics in this module."""
    metrics = (*contract.METRICS, *contract.FEATURE_METRICS)
    own = {name for metric in metrics for name in (metric, *(f"{metric}_{part}" for part in (
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


def test_series_with_another_unit_use_the_right_axis() -> None:
    """An axis has one unit."""
    for panel in PANELS:
        overrides = BY_TITLE[panel.title]["fieldConfig"]["overrides"]
        right = {each["matcher"]["options"] for each in overrides if {"id": "custom.axisPlacement", "value": "right"}
                 in each["properties"]}  # fmt: skip
        wanted = {
            target["refId"]
            for target, query in zip(BY_TITLE[panel.title]["targets"], panel.queries, strict=True)
            if query.right_unit
        }
        assert right == wanted


def test_series_of_the_right_axis_are_points() -> None:
    """A line on the right axis could be compared with a limit on the left one."""
    for panel in DASHBOARD["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            properties = {each["id"]: each["value"] for each in override["properties"]}
            if properties.get("custom.axisPlacement") == "right":
                assert properties["custom.drawStyle"] == "points"
                assert properties["custom.axisLabel"]
                assert "custom.lineStyle" not in properties


def test_a_few_shed_requests_stay_far_below_the_limit() -> None:
    """The right axis of 429s reaches at least 10 per second, so that one per second is not at the top of the panel."""
    overrides = BY_TITLE["In flight and shed"]["fieldConfig"]["overrides"]
    properties = {each["id"]: each["value"] for override in overrides for each in override["properties"]}
    assert properties["custom.axisSoftMax"] == 10


def test_each_tenant_has_one_colour() -> None:
    """On panels that are coloured by tenant every legend matches exactly the override of its tenant."""
    by_tenant = [panel for panel in PANELS if panel.colored_by_tenant]
    assert "In flight and shed" in {panel.title for panel in by_tenant}
    for panel in by_tenant:
        colors = {
            each["matcher"]["options"].strip("/"): each["properties"][0]["value"]["fixedColor"]
            for each in BY_TITLE[panel.title]["fieldConfig"]["overrides"]
            if each["matcher"]["id"] == "byRegexp"
        }
        for query in panel.queries:
            for number, tenant in enumerate(TENANTS):
                legend = query.legend.replace("{{namespace}}", tenant)
                found = [color for pattern, color in colors.items() if re.search(pattern, legend)]
                assert found == [TENANT_COLORS[number]], legend


def test_filled_queries_have_no_variable_left() -> None:
    """`filled` replaces all variables."""
    for panel in PANELS:
        for query in panel.queries:
            assert "$" not in filled(query.expr)


def test_dist_contains_the_dashboard() -> None:
    """The ConfigMap in dist/ holds the same bytes."""
    documents = yaml.safe_load_all((example_dist() / "0-platform.k8s.yaml").read_text())
    (config_map,) = [each for each in documents if each["kind"] == "ConfigMap"]
    assert list(config_map["data"].values()) == [dashboard_json(RUNBOOK, TENANTS)]


def test_the_dashboard_of_three_thousand_tenants_can_be_applied() -> None:
    """Kubectl keeps what it applied in an annotation, and all annotations together may have 262,144 bytes."""
    names = [f"t{number:045}" for number in range(3000)]
    assert len(json.dumps(dashboard_json("https://runbook.example/", names))) < 262_144
