"""The data of the dashboard's panels, queried from Prometheus without Grafana, for the page and the pictures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.monitoring.panels import Panel, filled
from tenantry.local.stack import Stack


@dataclass(frozen=True)
class Line:
    """One series of a panel.

    Attributes:
        legend: its name in the legend.
        unit: Grafana's unit of its axis.
        is_limit: whether it is a limit or an objective, drawn as a dashed line.
        points: times (seconds since 1970) and values; without the steps that have no value.
    """

    legend: str
    unit: str
    is_limit: bool
    points: tuple[tuple[float, float], ...]


def lines(stack: Stack, panel: Panel, *, start: float, end: float, step: float, rate_interval: str) -> Iterator[Line]:
    """Every series of a panel that has data between two times."""
    for query in panel.queries:
        expression = filled(query.expr, rate_interval=rate_interval)
        for series in stack.query_range(expression, start=start, end=end, step=step):
            points = tuple((float(time), float(value)) for time, value in series["values"] if value != "NaN")
            if points:
                yield Line(_legend(query.legend, series["metric"]), query.unit or panel.unit, query.is_limit, points)


def _legend(legend: str, labels: dict[str, str]) -> str:
    """The legend with values in place of Grafana's `{{label}}`."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)
