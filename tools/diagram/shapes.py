"""The shapes of the picture: boxes, cylinders, clouds, lines with a head, the red cross. Units are pixels, y down."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path

Point = tuple[float, float]


@dataclass(frozen=True)
class Ink:
    """A colour's line and its light filling."""

    line: str
    fill: str


BLUE = Ink("#1d5fbf", "#eef4fd")
GREEN = Ink("#23794a", "#e9f6ee")
ORANGE = Ink("#c2620a", "#fff3e2")
GREY = Ink("#5f6773", "#f2f3f5")
RED = Ink("#cc1f2d", "#fdecee")
TEXT, FAINT, WHITE = "#1c2430", "#5b6470", "#ffffff"


@dataclass(frozen=True, kw_only=True)
class Area:
    """A rectangle, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


class Canvas:
    """Draws on a figure's axes."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write text; `size` in points, anchored at the left middle by default."""
        style = {"size": 9, "color": TEXT, "ha": "left", "va": "center", "zorder": 6, **style}
        self._axes.text(x, y, text, **style)

    def box(self, area: Area, ink: Ink, *, fill: str | None = None, dashed: bool = False, line: float = 1.4) -> None:
        """A rectangle with slightly rounded corners."""
        self._axes.add_patch(
            FancyBboxPatch(
                (area.x, area.y),
                area.width,
                area.height,
                boxstyle="round,pad=0,rounding_size=7",
                linewidth=line,
                edgecolor=ink.line,
                facecolor=ink.fill if fill is None else fill,
                linestyle=(0, (5, 3)) if dashed else "solid",
                zorder=2,
            )
        )

    def labelled(self, area: Area, ink: Ink, title: str, *lines: str, size: float = 9, **style: Any) -> None:
        """A box with a bold title and lines under it, centred."""
        self.box(area, ink, **{"fill": WHITE, **style})
        self.stack(area, title, lines, size)

    def stack(self, area: Area, title: str, lines: Sequence[str], size: float = 9) -> None:
        """A title and lines under it, centred in `area`."""
        step = size * 1.75
        x, middle = area.center
        y = middle - step * len(lines) / 2
        self.text(x, y, title, size=size + 0.5, weight="bold", ha="center")
        for number, line in enumerate(lines, start=1):
            self.text(x, y + number * step, line, size=size - 1, color=FAINT, ha="center")

    def cylinder(self, area: Area, ink: Ink, title: str, *lines: str, size: float = 9) -> None:
        """A store."""
        rim = 22.0
        style: dict[str, Any] = {"linewidth": 1.4, "edgecolor": ink.line, "facecolor": WHITE, "zorder": 3}
        middle = area.center[0]
        self._axes.add_patch(Ellipse((middle, area.bottom - rim / 2), area.width, rim, **style))
        body = Rectangle((area.x, area.y + rim / 2), area.width, area.height - rim, **{**style, "edgecolor": "none"})
        self._axes.add_patch(body)
        for x in (area.x, area.right):
            self._axes.plot((x, x), (area.y + rim / 2, area.bottom - rim / 2), color=ink.line, linewidth=1.4, zorder=3)
        self._axes.add_patch(Ellipse((middle, area.y + rim / 2), area.width, rim, **{**style, "facecolor": ink.fill}))
        inner = Area(x=area.x, y=area.y + rim * 0.8, width=area.width, height=area.height - rim)
        self.stack(inner, title, lines, size)

    def cloud(self, area: Area, ink: Ink) -> None:
        """Something outside the cluster: bumps around an ellipse."""
        bumps = 11
        x, y = area.center
        ring = [
            (
                x + 0.44 * area.width * math.cos(2 * math.pi * step / bumps),
                y + 0.40 * area.height * math.sin(2 * math.pi * step / bumps),
            )
            for step in range(bumps + 1)
        ]
        vertices, codes = [ring[0]], [Path.MOVETO]
        for start, end in pairwise(ring):
            middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            out = x + (middle[0] - x) * 1.42, y + (middle[1] - y) * 1.42
            vertices += [
                (start[0] + (out[0] - middle[0]) * 1.1, start[1] + (out[1] - middle[1]) * 1.1),
                (end[0] + (out[0] - middle[0]) * 1.1, end[1] + (out[1] - middle[1]) * 1.1),
                end,
            ]
            codes += [Path.CURVE4] * 3
        patch = PathPatch(Path(vertices, codes), linewidth=1.4, edgecolor=ink.line, facecolor=ink.fill, zorder=2)
        self._axes.add_patch(patch)

    def line(self, *points: Point, ink: Ink, dashed: bool = False, both: bool = False, width: float = 1.6) -> None:
        """A line through points, with rounded corners and a head at its end; dashed where no traffic flows."""
        path = _rounded(points)
        style = (0, (4, 3)) if dashed else "solid"
        arrow = FancyArrowPatch(
            path=path,
            arrowstyle="<|-|>" if both else "-|>",
            mutation_scale=11,
            linewidth=width,
            color=ink.line,
            linestyle=style,
            zorder=4,
            joinstyle="round",
            capstyle="butt",
            shrinkA=0,
            shrinkB=0,
        )
        self._axes.add_patch(arrow)

    def label(self, x: float, y: float, text: str, ink: Ink, **style: Any) -> None:
        """The label of a line, on a background that interrupts other lines."""
        box = {"boxstyle": "round,pad=0.18", "facecolor": style.pop("paper", WHITE), "edgecolor": "none", "alpha": 0.92}
        self.text(x, y, text, **{"color": ink.line, "size": 8, "ha": "center", "bbox": box, "zorder": 5, **style})

    def cross(self, x: float, y: float) -> None:
        """The red cross: no traffic here."""
        reach = 11
        self._axes.add_patch(Ellipse((x, y), 34, 34, facecolor=WHITE, edgecolor=RED.line, linewidth=1.6, zorder=7))
        for sign in (1, -1):
            self._axes.plot(
                (x - reach, x + reach),
                (y - sign * reach, y + sign * reach),
                color=RED.line,
                linewidth=4,
                solid_capstyle="round",
                zorder=8,
            )


def _rounded(points: Sequence[Point], radius: float = 9) -> Path:
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        vertices += [_towards(corner, before, radius), corner, _towards(corner, after, radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, points[-1]], [*codes, Path.LINETO])


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = math.dist(start, end)
    share = min(distance, length / 2) / length
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
