"""Prints what an inspection found."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import typer

from tenantry.console import result
from tenantry.preflight.finding import Finding, Setting, Status
from tenantry.preflight.inspection import Result, settings_of

_COLOURS: Final = {
    Status.BLOCKING: "red",
    Status.FAILED: "red",
    Status.WARNING: "yellow",
    Status.UNKNOWN: "yellow",
    Status.SKIPPED: "cyan",
    Status.OK: "green",
}
_STATUS_WIDTH: Final = max(map(len, Status)) + 2


def print_text(results: Sequence[Result]) -> None:
    """Print each check with what was found, what is required and the keys to set, and then a summary."""
    width = max(len(each.check.title) for each in results) + 2
    indent = " " * (_STATUS_WIDTH + width)
    for each in results:
        status = each.finding.status
        shown = typer.style(f"{status:{_STATUS_WIDTH}}", fg=_COLOURS[status])
        result(f"{shown}{each.check.title:{width}}{each.finding.found}")
        for line in _details(each.finding):
            result(f"{indent}{line}")
    counts = Counter(each.finding.status for each in results)
    result(", ".join(f"{counts[status]} {status}" for status in Status if counts[status]))


def as_json(results: Sequence[Result], cluster: dict[str, Any], written: Sequence[Setting]) -> str:
    """The report as JSON.

    Args:
        results: what was found.
        cluster: what identifies the cluster.
        written: the keys that were written to platform.yaml.
    """
    document = {
        **cluster,
        "checks": [
            {
                "check": each.check.name,
                "status": each.finding.status,
                "found": each.finding.found,
                "required": each.finding.required,
                "fix": each.finding.fix or None,
                "settings": [_as_json(setting) for setting in each.finding.settings],
            }
            for each in results
        ],
        "settings": [_as_json(each) for each in settings_of(results)],
        "written": [_as_json(each) for each in written],
    }
    return json.dumps(document, indent=2)


def _details(finding: Finding) -> list[str]:
    lines = [f"required: {finding.required}"]
    lines += [f"fix: {finding.fix}"] if finding.fix else []
    return [*lines, *(f"set {each.path}: {each.text}" for each in finding.settings)]


def _as_json(setting: Setting) -> dict[str, Any]:
    return {"key": setting.path, "value": setting.value}
