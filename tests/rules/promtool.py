"""Runs promtool over rules and cases written in Python."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from constructs_lib.monitoring.objectives import TILE
from constructs_lib.monitoring.rule import Rule, RuleGroup
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.runtime import Runtime
from tenantry.programs import find
from tests.rules.cases import Case
from tests.rules.series import DEPLOYMENT, JOB, TENANT

RUNTIMES: tuple[Runtime, ...] = ("text", "onnx")


def groups(settings: AlertSettings | None = None, runtime: Runtime = "text") -> list[RuleGroup]:
    """The rule groups of one tenant."""
    return rule_groups(TENANT, JOB, DEPLOYMENT, DEPLOYMENT, settings or AlertSettings(), runtime=runtime)


def key(rule: Rule) -> str:
    """Distinguishes alerts of one name: severity, then the long window or the signal."""
    labels = rule["labels"]
    return "/".join(filter(None, (rule["alert"], labels["severity"], labels.get("long") or labels.get("signal"))))


def alerts(settings: AlertSettings | None = None, runtimes: Sequence[Runtime] = RUNTIMES) -> dict[str, Rule]:
    """The alerts of tenants with these runtimes."""
    return {
        key(rule): rule
        for runtime in runtimes
        for group in groups(settings, runtime)
        for rule in group["rules"]
        if "alert" in rule
    }


def check(rule_groups: Sequence[RuleGroup], folder: Path) -> subprocess.CompletedProcess[str]:
    """`promtool check rules` over rule groups."""
    return _promtool("check", "rules", _write(folder / "rules.json", {"groups": rule_groups}))


def check_alert(
    rule: Rule, cases: Sequence[Case], folder: Path, settings: AlertSettings | None = None
) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` over one alert and the recording rules that it depends on.

    Rules are evaluated every minute, or at the interval of the group that records tiles.
    """
    recorded = {each["record"]: each for group in groups(settings) for each in group["rules"] if "record" in each}
    needed = _dependencies(rule, recorded)
    alone = [{"name": "checked", "rules": [*needed, rule]}]
    rules = _write(folder / "rules.json", {"groups": alone})
    tests = [_test(rule, case) for case in cases]
    interval = TILE if any(each["record"].endswith(f":increase{TILE}") for each in needed) else "1m"
    document = {"rule_files": [str(rules)], "evaluation_interval": interval, "tests": tests}
    return _promtool("test", "rules", _write(folder / "test.json", document))


def _dependencies(rule: Rule, recorded: Mapping[str, Rule]) -> list[Rule]:
    """The recording rules that a rule uses, directly or not, each after those that it uses itself."""
    found: dict[str, Rule] = {}
    for name, each in recorded.items():
        if f"{name}{{" in rule["expr"]:
            found |= {needed["record"]: needed for needed in _dependencies(each, recorded)} | {name: each}
    return list(found.values())


def evaluate(
    expressions: Mapping[str, dict[str, float]],
    series: Mapping[str, str],
    at: Sequence[int],
    folder: Path,
    *,
    interval: str = "1m",
    rule_groups: Sequence[RuleGroup] = (),
) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` over expressions: each must return exactly these samples (labels to value).

    Args:
        expressions: expected samples by expression.
        series: values by series.
        at: minutes at which every expression is evaluated.
        folder: for promtool's files.
        interval: between two samples.
        rule_groups: rules that are evaluated at the interval of tiles.
    """
    checks = [
        {
            "expr": expression,
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for minute in at
        for expression, samples in expressions.items()
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    document = {
        "rule_files": [str(_write(folder / "rules.json", {"groups": rule_groups}))],
        "evaluation_interval": TILE,
        "tests": [{"interval": interval, "input_series": given, "promql_expr_test": checks}],
    }
    return _promtool("test", "rules", _write(folder / "test.json", document))


def _test(rule: Rule, case: Case) -> dict[str, Any]:
    fired = [] if case.measured is None else [_expected(rule, case)]
    checks = [{"eval_time": f"{case.at * case.step}m", "alertname": rule["alert"], "exp_alerts": fired}]
    if too_early := minutes(rule["for"]) - 1:  # a pending alert must not fire yet
        checks.insert(0, {"eval_time": f"{too_early}m", "alertname": rule["alert"], "exp_alerts": []})
    series = [{"series": name, "values": per_minute(values, case.step)} for name, values in case.series.items()]
    return {"interval": "1m", "input_series": series, "alert_rule_test": checks}


def per_minute(values: str, step: int) -> str:
    """Values in promtool's notation, with a sample per minute instead of one every `step` minutes.

    Values between two steps lie on a line, as those of a counter that grows evenly.
    """
    if step == 1:
        return values
    found: list[str] = []
    last = None
    for token in values.split():
        start, slope, count = map(float, re.split(r"[+x]", token))
        if last is not None:
            found.append(f"{last + (start - last) / step!r}+{(start - last) / step!r}x{step - 2}")
        found.append(f"{start!r}+{slope / step!r}x{int(count) * step}")
        last = start + slope * count
    return " ".join(found)


def _expected(rule: Rule, case: Case) -> dict[str, Any]:
    """The expected alert: its description has the measured value and labels in place of the templates."""
    text = re.sub(r"{{[^}]*\$value[^}]*}}", str(case.measured), rule["annotations"]["description"])
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda match: case.labels[match[1]], text)
    labels = {name: value for name, value in rule["labels"].items() if name != "alertname"}
    return {"exp_labels": labels | case.labels, "exp_annotations": rule["annotations"] | {"description": text}}


def minutes(duration: str) -> int:
    return int(duration[:-1]) * {"m": 1, "h": 60}[duration[-1]]


def _write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))  # YAML is a superset of JSON
    return path


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([find("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False)
