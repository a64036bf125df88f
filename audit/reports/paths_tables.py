"""Paths as text and Markdown."""

from collections.abc import Iterator

from audit.reports.paths_report import Path, PathsReport, Plane
from audit.reports.reach_tables import table
from audit.reports.words import count, place

_NAMED = 3
_HEADER = ("path", "step", "from", "to", "rule", "why", "place")


def text(report: PathsReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def heading(report: PathsReport) -> str:
    """From where to where, and how many paths of each kind."""
    certain = sum(each.certain for each in report.paths)
    possible = len(report.paths) - certain
    found = [count(certain, "path")] if certain else []
    found += [count(possible, "possible path")] if possible else []
    ends = f"{_spaces(report.sources)} to {_spaces(report.targets)}"
    if report.sources == report.targets:
        ends = f"between {_spaces(report.sources)}"
    return f"{ends}: {', '.join(found) or 'no path'}"


def title(path: Path) -> str:
    """A path in one line."""
    also = f", and {count(len(path.also), 'other')} alike" if path.also else ""
    kind = "path" if path.certain else "possible path"
    return f"{kind}, {count(len(path.steps), 'step')}: {path.start} to {path.end}{also}"


def searched(plane: Plane) -> str:
    """What a plane looked at, in words."""
    return ", ".join(count(number, noun) for noun, number in plane.searched.items())


def _spaces(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else count(len(names), "namespace")


def _text(report: PathsReport) -> Iterator[str]:
    yield heading(report)
    for path in report.paths:
        yield ""
        yield title(path)
        for number, step in enumerate(path.steps, 1):
            yield f"  {number}. {step.source} -> {step.target}"
            yield f"     {step.rule}{'' if step.certain else ' (not decided)'}: {step.sentence}"
            for line in step.evidence:
                where = f"{place(line)}: {line.text}" if line.file else ""
                yield f"       {': '.join(each for each in (line.reason, where) if each)}"
        for each in path.also[:_NAMED]:
            yield f"  also: {each}"
        if len(path.also) > _NAMED:
            yield f"  and {len(path.also) - _NAMED} more"
    yield ""
    yield f"searched from {report.starts:,} pods, accounts and manifests:"
    for plane in report.planes:
        yield f"    {plane.name}: {searched(plane)}"
    yield from _unsearched(report)
    unknown = [each for plane in report.planes for each in plane.unknown]
    if unknown:
        yield "not known:"
        yield from (f"    {each}" for each in unknown)


def _unsearched(report: PathsReport) -> Iterator[str]:
    """From which tenants no path was searched, if there are any."""
    if report.unsearched:
        tenants = count(len(report.unsearched), "tenant")
        more = f" and {len(report.unsearched) - _NAMED} more" if len(report.unsearched) > _NAMED else ""
        names = ", ".join(report.unsearched[:_NAMED])
        yield f"not searched from {tenants}, because enough paths were found: {names}{more}"


def markdown(report: PathsReport) -> str:
    """A table, one row per step, and what was searched."""
    rows = (
        (
            title(path) if number == 1 else "",
            str(number),
            step.source,
            step.target,
            step.rule,
            step.sentence,
            ", ".join(place(line) for line in step.evidence if line.file),
        )
        for path in report.paths
        for number, step in enumerate(path.steps, 1)
    )
    parts = [heading(report), ""]
    parts += [table(_HEADER, rows), ""] if report.paths else []
    parts += [
        table(
            ("plane", "searched", "not known"),
            ((each.name, searched(each), "; ".join(each.unknown)) for each in report.planes),
        )
    ]
    parts += [f"\n{line}" for line in _unsearched(report)]
    return "\n".join(parts)
