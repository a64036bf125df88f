"""Documents of SARIF 2.1.0 for code scanning."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from audit.model.finding import Severity

LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
"""SARIF's level of a severity."""
SCORES: Final = {"error": "8.0", "warning": "5.0", "note": "2.0"}
"""What GitHub sorts security results by."""


class Result(Struct, frozen=True, kw_only=True):
    """One result.

    Attributes:
        rule: Name of the rule.
        level: error, warning or note.
        message: What is the case.
        file: The file, relative to the repository.
        line: The line; 0 counts as the first.
        fingerprint: What stays the same when lines move.
    """

    rule: str
    level: str
    message: str
    file: str
    line: int
    fingerprint: str


def document(rules: Mapping[str, tuple[str, str]], results: Iterable[Result]) -> str:
    """A document.

    Args:
        rules: Sentence and source (or empty) of each rule, by name.
        results: What was found; only rules with results are described.
    """
    found = list(results)
    used = dict.fromkeys(each.rule for each in found)
    levels = {each.rule: each.level for each in reversed(found)}
    described = [_rule(name, *rules[name], levels[name]) for name in used]
    driver = {"name": "tenantry audit", "rules": described}
    run = {"tool": {"driver": driver}, "results": [_result(each) for each in found]}
    whole = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2)


def _rule(name: str, sentence: str, source: str, level: str) -> dict[str, Any]:
    properties = {"tags": ["security"], "security-severity": SCORES[level]}
    described = {"id": name, "shortDescription": {"text": sentence}, "properties": properties}
    return described | ({"helpUri": source} if source else {})


def _result(given: Result) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": given.file.replace("\\", "/")},
        "region": {"startLine": max(given.line, 1)},
    }
    return {
        "ruleId": given.rule,
        "level": given.level,
        "message": {"text": given.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"tenantry/v1": given.fingerprint},
    }
