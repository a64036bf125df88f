"""Paths as a picture (SVG): one row per path, boxes in the colours of what they are, arrows with the rule."""

from collections.abc import Iterator
from html import escape
from typing import Final

from audit.reports.paths_report import Path, PathsReport, StepLine
from audit.reports.paths_tables import heading
from audit.reports.words import cut, place

_BOX: Final = (190, 44)
_GAP: Final = 150
_ROW: Final = 96
_TOP: Final = 56
_LEFT: Final = 16
_LETTERS: Final = 29
"""Letters of a label; longer ones are cut in the middle."""
_COLOURS: Final = {"source": "#1565c0", "between": "#546e7a", "target": "#c62828"}
_ARROWHEAD: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#37474f"/></marker></defs>'
)
_LEGEND: Final = {"source": "begins here", "between": "on the way", "target": "belongs to the other tenant"}


def svg(report: PathsReport) -> str:
    """The picture."""
    most = max((len(each.steps) for each in report.paths), default=1)
    width = max(2 * _LEFT + (most + 1) * _BOX[0] + most * _GAP, 620)
    height = _TOP + max(len(report.paths), 1) * _ROW + 40
    frame = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(heading(report))}</title>",
        _ARROWHEAD,
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="28" font-size="16">{escape(heading(report))}</text>',
    ]
    for row, path in enumerate(report.paths):
        parts += _row(path, _TOP + row * _ROW)
    if not report.paths:
        parts.append(f'<text x="{_LEFT}" y="{_TOP + 24}">no path was found; what was searched is in the text</text>')
    for number, (kind, text) in enumerate(_LEGEND.items()):
        x = _LEFT + number * 200
        parts.append(f'<rect x="{x}" y="{height - 30}" width="16" height="16" fill="{_COLOURS[kind]}"/>')
        parts.append(f'<text x="{x + 24}" y="{height - 18}">{text}</text>')
    return "\n".join([*parts, "</svg>"])


def _row(path: Path, y: int) -> Iterator[str]:
    labels = [path.start, *(step.target for step in path.steps)]
    for number, label in enumerate(labels):
        kind = "source" if number == 0 else "target" if number == len(path.steps) else "between"
        x = _LEFT + number * (_BOX[0] + _GAP)
        yield f'<rect x="{x}" y="{y}" width="{_BOX[0]}" height="{_BOX[1]}" rx="4" fill="{_COLOURS[kind]}">'
        yield f"<title>{escape(label)}</title></rect>"
        middle = f'x="{x + _BOX[0] // 2}" y="{y + 27}"'
        yield f'<text {middle} text-anchor="middle" fill="#ffffff">{escape(cut(label, _LETTERS))}</text>'
        if number < len(path.steps):
            yield from _arrow(path.steps[number], x + _BOX[0], y + _BOX[1] // 2)


def _arrow(step: StepLine, x: int, y: int) -> Iterator[str]:
    """An arrow, dashed where the input does not decide, with the rule above and the first line below."""
    dashed = "" if step.certain else ' stroke-dasharray="5 4"'
    lines = [place(each) for each in step.evidence if each.file]
    tip = escape("\n".join([step.sentence, *lines]))
    yield f'<line x1="{x + 4}" y1="{y}" x2="{x + _GAP - 4}" y2="{y}" stroke="#37474f"{dashed} marker-end="url(#tip)"/>'
    middle = f'x="{x + _GAP // 2}" text-anchor="middle" font-size="10"'
    yield f'<text {middle} y="{y - 8}"><title>{tip}</title>{escape(step.rule)}</text>'
    if lines:
        yield f'<text {middle} y="{y + 16}"><title>{tip}</title>{escape(_end(lines[0]))}</text>'


def _end(text: str) -> str:
    """The end of a file's path, with the line."""
    most = 26
    return text if len(text) <= most else f"..{text[-most:]}"
