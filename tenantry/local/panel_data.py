"""The data of the dashboard's panels, queried from Prometheus without Grafana, for the page and the pictures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.panel_queries import filled
from constructs_lib.monitoring.panels import Panel, tenant_color
from tenantry.local.stack import Stack

PALETTE: Final = (
    "#2f7ed8", "#e07b00", "#2ca02c", "#d62728", "#8a5cd6", "#8c564b", "#d048a5", "#6b7280", "#a3a300", "#0aa3b8",
)  # fmt: skip
"""Colours of series on panels that give them none."""


@dataclass(frozen=True)
class Line:
    """One series of a panel.

    Attributes:
        legend: its name in the legend.
        unit: Grafana's unit of its axis.
        is_limit: whether it is a limit or an objective, drawn as a dashed line.
        is_right: whether it belongs to the right axis, drawn as points.
        axis_max: value that its axis reaches at least.
        color: its colour, as CSS and matplotlib accept it.
        points: times (seconds since 1970) and values; without the steps that have no value.
    """

    legend: str
    unit: str
    is_limit: bool
    is_right: bool
    axis_max: float
    color: str
    points: tuple[tuple[float, float], ...]


def lines(
    stack: Stack,
    panel: Panel,
    tenants: Sequence[str],
    *,
    start: float,
    end: float,
    step: float,
    rate_interval: str,
) -> Iterator[Line]:
    """Every series of a panel that has data between two times.

    Args:
        stack: where Prometheus answers.
        panel: whose queries to ask.
        tenants: names of all tenants, which give each its colour.
        start: of the data, seconds since 1970.
        end: of the data, seconds since 1970.
        step: seconds between two points.
        rate_interval: what Grafana's `$__rate_interval` stands for.
    """
    number = 0
    for query in panel.queries:
        expression = filled(query.expr, rate_interval=rate_interval)
        for series in stack.query_range(expression, start=start, end=end, step=step):
            points = tuple((float(time), float(value)) for time, value in series["values"] if value != "NaN")
            if not points:
                continue
            legend = _legend(query.legend, series["metric"])
            yield Line(
                legend=legend,
                unit=query.right_unit or panel.unit,
                is_limit=query.is_limit,
                is_right=bool(query.right_unit),
                axis_max=query.right_max,
                color=_color(panel, legend, tenants) or PALETTE[number % len(PALETTE)],
                points=points,
            )
            number += 1


def _color(panel: Panel, legend: str, tenants: Sequence[str]) -> str:
    """The colour that the panel gives to a series; empty if it gives none."""
    for end, color in panel.colors:
        if legend.endswith(f" {end}"):
            return color
    tenant = legend.split(" ", 1)[0]
    return tenant_color(tenant, tenants) if panel.colored_by_tenant and tenant in tenants else ""


def _legend(legend: str, labels: dict[str, str]) -> str:
    """The legend with values in place of Grafana's `{{label}}`."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)
