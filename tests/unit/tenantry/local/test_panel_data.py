"""The data of panels without Grafana: legends, axes and colours."""

from typing import TYPE_CHECKING, Any, cast

from constructs_lib.monitoring.panels import PANELS, TENANT_COLORS
from tenantry.local.panel_data import PALETTE, Line, lines

if TYPE_CHECKING:
    from tenantry.local.stack import Stack

TENANTS = ("tenant-a", "tenant-b")
BY_TITLE = {panel.title: panel for panel in PANELS}


class FakeStack:
    """Returns the same series for both tenants, whatever the query."""

    def query_range(self, expression: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        del expression, start, end, step
        labels = {"reason": "in_flight", "outcome": "shed"}
        values = [[10, "1"], [20, "NaN"], [30, "2"]]
        return [{"metric": labels | {"namespace": name}, "values": values} for name in TENANTS]


def lines_of(title: str) -> list[Line]:
    stack = cast("Stack", FakeStack())
    return list(lines(stack, BY_TITLE[title], TENANTS, start=0, end=30, step=10, rate_interval="30s"))


def test_each_tenant_has_one_colour_on_both_axes() -> None:
    """Limit, gauge and points of a tenant have its colour; only the series of the right axis are points."""
    found = lines_of("In flight and shed")
    assert {(line.legend.split()[0], line.color) for line in found} == set(zip(TENANTS, TENANT_COLORS, strict=False))
    assert {line.legend.split(" ", 1)[1]: (line.is_limit, line.is_right) for line in found} == {
        "in flight": (False, False),
        "limit": (True, False),
        "429 in_flight": (False, True),
    }


def test_outcomes_have_the_colours_of_the_panel() -> None:
    """A colour that the panel gives to an outcome is used for every tenant."""
    assert {line.color for line in lines_of("Requests by outcome")} == {"orange"}


def test_other_series_have_different_colours_and_no_gaps() -> None:
    """Without colours of the panel each series has its own; steps without a value are left out."""
    found = lines_of("Where the time goes")
    assert [line.color for line in found] == list(PALETTE[:2])
    assert found[0].points == ((10.0, 1.0), (30.0, 2.0))
