#!/usr/bin/env python
"""Draw docs/monitoring/*.png: each panel of the dashboard, with the data of a local run.

The tenants of platform.yaml are served locally under Prometheus and get mails of the training corpus, for the number of
minutes in the first argument (default 6); see `tenantry monitor`. Grafana is not involved. `make panels` calls it.
"""

import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.ticker import FuncFormatter

from constructs_lib.monitoring.panels import PANELS, Panel
from tenantry.commands.monitor import watched
from tenantry.console import say, step
from tenantry.local.panel_data import Line, lines
from tenantry.local.servers import require_model
from tenantry.local.stack import Stack
from tenantry.options import FIRST_PORT, MODEL, PLATFORM_FILE
from tenantry.platform_file import tenant_names

FOLDER: Final = Path("docs/monitoring")
UNITS: Final = {
    "reqps": "requests/s",
    "percentunit": "share",
    "s": "seconds",
    "short": "",
    "cps": "predictions/s",
    "suffix:x": "times",
}
STEP_SECONDS: Final = 5


def main(minutes: float) -> None:
    """Serve the tenants, then draw."""
    names = tenant_names(PLATFORM_FILE)
    require_model(MODEL)
    stop = threading.Event()
    with watched(PLATFORM_FILE, MODEL, FIRST_PORT, names, stop) as (stack, _):
        start = time.time()
        with step(f"sending traffic for {minutes:g} minutes"):
            stop.wait(minutes * 60)
        FOLDER.mkdir(parents=True, exist_ok=True)
        for number, panel in enumerate(PANELS, start=1):
            draw(stack, panel, names, FOLDER / f"{number}-{slug(panel.title)}.png", start=start, end=time.time())


def slug(title: str) -> str:
    """A title as a file name."""
    return re.sub(r"\W+", "-", title.lower())


@dataclass(frozen=True)
class Phase:
    """A part of a run that is marked in the pictures."""

    text: str
    start: float
    end: float


def draw(
    stack: Stack,
    panel: Panel,
    tenants: Sequence[str],
    path: Path,
    *,
    start: float,
    end: float,
    phases: Sequence[Phase] = (),
) -> None:
    """Draw one panel; a panel without data has no picture."""
    found = list(lines(stack, panel, tenants, start=start, end=end, step=STEP_SECONDS, rate_interval="30s"))
    if not found:
        say(f"{panel.title}: no data in a local run, no picture")
        return
    figure, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
    sides = {panel.unit: axes}
    for line in found:
        if line.unit not in sides:
            sides[line.unit] = axes.twinx()
        # Colours of outcomes are the same for every tenant, so the second tenant's lines are dotted.
        is_dotted = bool(panel.colors) and not line.legend.startswith(f"{tenants[0]} ")
        _plot(sides[line.unit], line, ":" if is_dotted else "-")
    for unit, side in sides.items():
        side.set_ylabel(UNITS[unit])
        if panel.logarithmic and unit == panel.unit:
            side.set_yscale("log")
        else:
            right = [line for line in found if line.is_right and line.unit == unit]
            highest = max((value for line in right for _, value in line.points), default=0.0)
            top = max([1.5 * highest, *(line.axis_max for line in right)], default=0.0)
            side.set_ylim(bottom=0, top=top or None)
        if unit == "percentunit":
            side.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g} %"))
    for phase in phases:
        axes.axvspan(_moment(phase.start), _moment(phase.end), color="grey", alpha=0.12, linewidth=0)  # type: ignore[arg-type]
        axes.text(
            _moment(phase.start), 1.0, f" {phase.text}", transform=axes.get_xaxis_transform(), va="top", fontsize=7
        )  # type: ignore[arg-type]
    axes.set_title(panel.title, loc="left", fontsize=11, weight="bold")
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=7, frameon=False)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
    say(f"wrote {path}")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _plot(axes: Axes, line: Line, style: str) -> None:
    times = [_moment(when) for when, _ in line.points]
    values = [value for _, value in line.points]
    style = "None" if line.is_right else "--" if line.is_limit else style
    marker = "." if line.is_right else None
    axes.plot(times, values, label=line.legend, color=line.color, linestyle=style, marker=marker, linewidth=1.3)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 6)
