"""Who reaches whom as a picture: a matrix (SVG) for any number of groups, a graph (DOT) for few."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from audit.engine.answer import Verdict
from audit.reports.reach_report import ReachReport
from audit.reports.words import cut

ADDRESSES: Final = "addresses outside"
_COLOURS: Final = {
    "allowed": "#2e7d32",
    "some": "#a5d6a7",
    "unknown": "#f9a825",
    "denied": "#eceff1",
}
_LEGEND: Final = {
    "allowed": "allowed to all of them, on the ports in the tooltip",
    "some": "allowed to some of them: its own namespace, or a part",
    "unknown": "unknown: the input does not decide",
    "denied": "denied (rows are sources, columns are destinations)",
}
_SIZES: Final = ((20, 28, 12), (60, 18, 10), (10**9, 12, 8))
"""Up to so many groups, the side of a cell and the height of letters, in pixels."""
_LEAST: Final = 420
"""Least width, in pixels: the legend's."""
_LABEL: Final = 48
"""Letters of a label; longer ones are cut in the middle."""


@dataclass(slots=True)
class _Cell:
    """How one group reaches another."""

    state: str = "denied"
    lines: list[str] = field(default_factory=list)


def svg(report: ReachReport) -> str:
    """A matrix: sources are rows, destinations are columns."""
    cells = _cells(report)
    labels = [source.label for source in report.sources]
    columns = [*labels, ADDRESSES]
    side, letters = next((side, letters) for most, side, letters in _SIZES if len(labels) <= most)
    left = int(max((len(cut(label, _LABEL)) for label in columns), default=0) * letters * 0.62) + 16
    width, height = max(left + side * len(columns) + 16, _LEAST), left + side * len(labels) + 24 * len(_LEGEND) + 24
    frame = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} font-family="sans-serif" font-size="{letters}" role="img">',
        "<title>Who reaches whom</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, label in enumerate(columns):
        x = left + column * side + side * 0.65
        parts.append(
            f'<text transform="translate({x:.0f},{left - 6}) rotate(-90)"><title>{escape(label)}</title>'
            f"{escape(cut(label, _LABEL))}</text>"
        )
    for row, label in enumerate(labels):
        y = left + row * side
        parts.append(
            f'<text x="{left - 6}" y="{y + side * 0.65:.0f}" text-anchor="end"><title>{escape(label)}</title>'
            f"{escape(cut(label, _LABEL))}</text>"
        )
        for column, other in enumerate(columns):
            cell = cells.get((label, other), _Cell())
            text = escape(f"{label} to {other}: {'; '.join(cell.lines) or 'denied'}")
            parts.append(
                f'<rect x="{left + column * side}" y="{y}" width="{side - 1}" height="{side - 1}" '
                f'fill="{_COLOURS[cell.state]}"><title>{text}</title></rect>'
            )
    top = left + side * len(labels) + 16
    for number, (state, text) in enumerate(_LEGEND.items()):
        y = top + 24 * number
        parts.append(f'<rect x="16" y="{y}" width="16" height="16" fill="{_COLOURS[state]}"/>')
        parts.append(f'<text x="40" y="{y + 12}" font-size="12">{text}</text>')
    return "\n".join([*parts, "</svg>"])


def dot(report: ReachReport) -> str:
    """A graph for Graphviz; what is denied has no edge, what is unknown a dashed one."""
    return "\n".join(_dot(report))


def _dot(report: ReachReport) -> Iterator[str]:
    yield "digraph reach {"
    yield '  graph [rankdir="LR"]; node [shape="box", fontname="sans-serif"]; edge [fontname="sans-serif"];'
    for source in report.sources:
        several = f"\\n{len(source.members)} workloads" if len(source.members) > 1 else ""
        yield f"  {_quoted(source.label)} [label={_quoted(source.label + several)}];"
    yield f'  {_quoted(ADDRESSES)} [shape="ellipse"];'
    for (source_label, destination), cell in _cells(report).items():
        style = "dashed" if cell.state == "unknown" else "solid"
        yield f"  {_quoted(source_label)} -> {_quoted(destination)} [label={_quoted(_brief(cell))}, style={style}];"
    yield "}"


def _brief(cell: _Cell) -> str:
    most = 3
    return "\\n".join(cell.lines[:most] + (["..."] if len(cell.lines) > most else []))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _cells(report: ReachReport) -> Mapping[tuple[str, str], _Cell]:
    """How groups reach each other; pairs that are denied are left out."""
    group_of = {member: source.label for source in report.sources for member in source.members}
    sizes = {source.label: len(source.members) for source in report.sources}
    cells: dict[tuple[str, str], _Cell] = {}
    for source in report.sources:
        for line in source.reaches:
            reached: dict[str, int] = {}
            excluded = set(line.excluded)
            members = [member for member in group_of if member not in excluded] if excluded else line.members
            for member in members:
                label = group_of.get(member, "")
                reached[label] = reached.get(label, 0) + 1
            if line.cidrs:
                reached = {ADDRESSES: 1}
            for label, number in reached.items():
                if label:
                    cell = cells.setdefault((source.label, label), _Cell())
                    whole = number == sizes.get(label, 1)
                    _add(cell, line.verdict, ", ".join(line.ports), whole=whole, to=line.destination)
    return cells


def _add(cell: _Cell, verdict: Verdict, ports: str, *, whole: bool, to: str) -> None:
    state = "unknown" if verdict is Verdict.UNKNOWN else "allowed" if whole else "some"
    order = list(_COLOURS)
    cell.state = min(cell.state, state, key=order.index)
    cell.lines.append(f"{verdict} {ports}" + ("" if whole else f" to {to}"))
