"""The Grafana dashboard: `constructs_lib.monitoring.panels` as JSON, built with the Grafana Foundation SDK."""

import json
import warnings
from collections.abc import Sequence
from itertools import count
from string import ascii_uppercase
from typing import Any, Final

from constructs_lib.monitoring.panels import PANELS, TENANT_COLORS, Panel, Query, tenant_color
from constructs_lib.monitoring.promql import selector
from inference import contract

with warnings.catch_warnings():
    # The SDK recommends the schema of newer Grafanas. The classic one works in every Grafana that a cluster may have.
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as common_models
    from grafana_foundation_sdk.models import dashboard as models

UID: Final = "tenantry-inference"
TITLE: Final = "Tenantry: inference"
MAX_COLORED_TENANTS: Final = 400
"""Further tenants get colours of Grafana's palette: a regular expression with every name would fill the ConfigMap."""
WIDTH, HEIGHT = 12, 9
"""Size of a panel in Grafana's grid of 24 columns."""

_PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


def dashboard_json(runbook: str, tenants: Sequence[str]) -> str:
    """The dashboard as Grafana reads it; the same arguments give the same bytes.

    Args:
        runbook: address of the runbook that the panels link to.
        tenants: names of the tenants, in the order of `platform.yaml`, which gives each a colour.
    """
    builder = (
        dashboard.Dashboard(TITLE)
        .uid(UID)
        .description("Traffic, objectives, saturation, model and drift of the selected tenants.")
        .tags(["tenantry", "inference"])
        .readonly()
        .timezone("browser")
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables(_variables())
        .annotation(_alert_annotation())
    )
    for number, panel in zip(count(1), PANELS, strict=False):
        builder.with_panel(_panel(number, panel, runbook, tenants[:MAX_COLORED_TENANTS]))
    document = json.loads(json.dumps(builder.build(), cls=JSONEncoder))
    _word_annotations(document)
    _leave_in_place(document)
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _variables() -> list[Any]:
    """Data sources, tenants and model versions; the choices are queried from Grafana and Prometheus."""
    everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])

    def of_metric(name: str, label: str, query: str) -> dashboard.QueryVariable:
        return (
            dashboard.QueryVariable(name)
            .label(label)
            .datasource(_PROMETHEUS)
            .query(query)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            .multi(True)
            .include_all(True)
            .current(everything)
        )

    versions = selector(contract.MODEL_INFO, namespace="=~$tenant")
    return [
        dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus"),
        dashboard.DatasourceVariable("alertmanager").label("Alertmanager").type("alertmanager"),
        of_metric("tenant", "Tenant", f"label_values({contract.BUILD_INFO}, namespace)").all_value(".+"),
        of_metric("model_version", "Model version", f"label_values({versions}, model_version)").all_value(".+"),
    ]


def _alert_annotation() -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name("Firing alerts")
        .datasource(_PROMETHEUS)
        .enable(True)
        .icon_color("red")
        .expr('ALERTS{alertstate="firing",alertname=~"Inference.+",namespace=~"$tenant"}')
    )


def _word_annotations(document: dict[str, Any]) -> None:
    """Add the fields of Grafana's Prometheus data source that word an annotation; the SDK does not have them."""
    for annotation in document["annotations"]["list"]:
        annotation |= {"titleFormat": "{{alertname}} {{severity}}", "textFormat": "{{namespace}}", "step": "30s"}


def _leave_in_place(document: dict[str, Any]) -> None:
    """Remove the placement "controls menu", which the SDK sets on every annotation and link and cannot leave out."""
    links = (link for panel in document["panels"] for link in panel["links"])
    for element in (*document["annotations"]["list"], *links):
        element.pop("placement", None)


def _panel(number: int, panel: Panel, runbook: str, tenants: Sequence[str]) -> timeseries.Panel:
    builder = (
        timeseries.Panel()
        .id(number)
        .title(panel.title)
        .description(panel.description)
        .datasource(_PROMETHEUS)
        .unit(panel.unit)
        .min(0)
        .span(WIDTH)
        .height(HEIGHT)
        .line_width(1)
        .fill_opacity(20 if panel.stacked else 5)
        .thresholds(_thresholds(panel))
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.TABLE)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
        .links(_links(panel, runbook))
    )
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    if panel.logarithmic:
        builder.scale_distribution(
            common.ScaleDistributionConfig().type(common_models.ScaleDistribution.LOG).log(10),
        )
    for ref, query in zip(ascii_uppercase, panel.queries, strict=False):
        builder.with_target(
            prometheus.Dataquery()
            .ref_id(ref)
            .datasource(_PROMETHEUS)
            .expr(query.expr)
            .legend_format(query.legend)
            .range()
        )
        if properties := _overrides(query):
            builder.override_by_query(ref, properties)
    for pattern, color in _colors(panel, tenants):
        fixed = models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})
        builder.override_by_regexp(f"/{pattern}/", [fixed])
    return builder


def _colors(panel: Panel, tenants: Sequence[str]) -> list[tuple[str, str]]:
    """Regular expressions of legends, and the colour of the series that match."""
    by_color = {
        color: [name for name in tenants if panel.colored_by_tenant and tenant_color(name, tenants) == color]
        for color in TENANT_COLORS
    }
    of_tenants = [(f"^({'|'.join(names)}) ", color) for color, names in by_color.items() if names]
    return [*((f" {end}$", color) for end, color in panel.colors), *of_tenants]


def _overrides(query: Query) -> list[models.DynamicConfigValue]:
    """Overrides of a query: limits are dashed lines, series of the right axis are points."""
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [10, 10]}, "custom.fillOpacity": 0}
    right = {
        "unit": query.right_unit,
        "custom.axisPlacement": "right",
        "custom.axisLabel": query.legend.replace("{{namespace}} ", "").split(" {{")[0],
        "custom.drawStyle": "points",
        "custom.pointSize": 5,
        **({"custom.axisSoftMax": query.right_max} if query.right_max else {}),
    }
    properties = (dashed if query.is_limit else {}) | (right if query.right_unit else {})
    return [models.DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()]


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps(
            [
                models.Threshold(value=None, color="green"),
                *(models.Threshold(value=value, color=color) for value, color in panel.thresholds),
            ]
        )
    )


def _links(panel: Panel, runbook: str) -> list[Builder[models.DashboardLink]]:
    """Links to the runbook's sections about the panel's alerts, and to the alerts of the selected tenants."""

    def link(title: str, url: str) -> Builder[models.DashboardLink]:
        return dashboard.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url).target_blank(True)

    runbooks = [link(f"Runbook: {name}", f"{runbook}#{name.lower()}") for name in panel.runbook]
    alerts = '/alerting/groups?alertmanager=${alertmanager:text}&queryString=namespace%3D~"${tenant:regex}"'
    return [*runbooks, link("Alerts of the selected tenants", alerts)]
