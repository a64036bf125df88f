"""What the dashboard's panels show, asked of a Prometheus directly: for a page and for pictures, without Grafana."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.monitoring.panels import Panel, filled
from tenantry.local.stack import Stack


@dataclass(frozen=True)
class Line:
    """One series of a panel.

    Attributes:
        legend: its name, as the panel words it.
        unit: Grafana's unit of the axis that it belongs to.
        is_line: a limit or an objective, drawn dashed.
        points: times (seconds since 1970) and values; gaps are left out.
    """

    legend: str
    unit: str
    is_line: bool
    points: tuple[tuple[float, float], ...]


def lines(stack: Stack, panel: Panel, *, start: float, end: float, step: float, rate_interval: str) -> Iterator[Line]:
    """Every series of a panel that has data between two times."""
    for query in panel.queries:
        expression = filled(query.expr, rate_interval=rate_interval)
        for series in stack.query_range(expression, start=start, end=end, step=step):
            points = tuple((float(time), float(value)) for time, value in series["values"] if value != "NaN")
            if points:
                yield Line(_worded(query.legend, series["metric"]), query.unit or panel.unit, query.is_line, points)


def _worded(legend: str, labels: dict[str, str]) -> str:
    """A legend with labels in place of Grafana's `{{label}}`."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)
