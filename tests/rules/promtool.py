"""Runs promtool over rules and cases written in Python."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from constructs_lib.monitoring.rule import Rule, RuleGroup
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import AlertSettings
from tenantry.programs import find
from tests.rules.cases import Case
from tests.rules.series import DEPLOYMENT, JOB, TENANT


def groups(settings: AlertSettings | None = None) -> list[RuleGroup]:
    """The rule groups of one tenant."""
    return rule_groups(TENANT, JOB, DEPLOYMENT, DEPLOYMENT, settings or AlertSettings())


def key(rule: Rule) -> str:
    """Distinguishes alerts of one name: severity, then the long window or the signal."""
    labels = rule["labels"]
    return "/".join(filter(None, (rule["alert"], labels["severity"], labels.get("long") or labels.get("signal"))))


def alerts(settings: AlertSettings | None = None) -> dict[str, Rule]:
    return {key(rule): rule for group in groups(settings) for rule in group["rules"] if "alert" in rule}


def check(rule_groups: Sequence[RuleGroup], folder: Path) -> subprocess.CompletedProcess[str]:
    """`promtool check rules` over rule groups."""
    return _promtool("check", "rules", _write(folder / "rules.json", {"groups": rule_groups}))


def check_alert(
    rule: Rule, cases: Sequence[Case], folder: Path, settings: AlertSettings | None = None
) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` over one alert and the recording rules that it depends on."""
    every = [each for group in groups(settings) for each in group["rules"]]
    needed = [each for each in every if "record" in each and f"{each['record']}{{" in rule["expr"]]
    alone = [{"name": "checked", "rules": [*needed, rule]}]
    rules = _write(folder / "rules.json", {"groups": alone})
    tests = [_test(rule, case) for case in cases]
    document = {"rule_files": [str(rules)], "evaluation_interval": f"{cases[0].step}m", "tests": tests}
    return _promtool("test", "rules", _write(folder / "test.json", document))


def evaluate(
    expressions: Mapping[str, dict[str, float]], series: Mapping[str, str], at: int, folder: Path
) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` over expressions: each must return exactly these samples (labels to value)."""
    checks = [
        {
            "expr": expression,
            "eval_time": f"{at}m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for expression, samples in expressions.items()
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    document = {"tests": [{"interval": "1m", "input_series": given, "promql_expr_test": checks}]}
    return _promtool("test", "rules", _write(folder / "test.json", document))


def _test(rule: Rule, case: Case) -> dict[str, Any]:
    fired = [] if case.measured is None else [_expected(rule, case)]
    checks = [{"eval_time": f"{case.at * case.step}m", "alertname": rule["alert"], "exp_alerts": fired}]
    if too_early := minutes(rule["for"]) - 1:  # a pending alert must not fire yet
        checks.insert(0, {"eval_time": f"{too_early}m", "alertname": rule["alert"], "exp_alerts": []})
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    return {"interval": f"{case.step}m", "input_series": series, "alert_rule_test": checks}


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
