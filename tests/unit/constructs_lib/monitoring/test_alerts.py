"""Alerting rules: labels, annotations, runbook links, thresholds."""

import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from constructs_lib.monitoring.objectives import TILE, TILE_RANGE, TILE_SECONDS
from constructs_lib.monitoring.rule import Rule, RuleGroup
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.names import SCRAPE_INTERVAL
from constructs_lib.platform.alerts import RUNBOOK, AlertSettings
from constructs_lib.platform.runtime import Runtime
from tenantry.cli import app
from tests.paths import ROOT

RUNBOOK_FILE = ROOT / "docs" / "runbook.md"
OTHER: dict[str, Any] = {
    "availability_objective": 0.99,
    "latency_objective": 0.95,
    "latency_threshold_seconds": 0.1,
    "runbook": "https://runbook.example/",
    "drift_length_factor": 3.5,
}
"""Valid values other than the defaults, where the default plus 10 % is not valid."""


RUNTIMES: tuple[Runtime, ...] = ("text", "onnx")


def groups(settings: AlertSettings | None = None, runtime: Runtime = "text") -> list[RuleGroup]:
    return rule_groups(
        "team-x", "team-x-svc", "team-x-deployment", "team-x-hpa", settings or AlertSettings(), runtime=runtime
    )


def alerts() -> list[Rule]:
    """The alerts of both runtimes."""
    return [
        rule for runtime in RUNTIMES for group in groups(runtime=runtime) for rule in group["rules"] if "alert" in rule
    ]


NAMES = sorted({rule["alert"] for rule in alerts()})


@pytest.mark.parametrize("field", AlertSettings.model_fields)
def test_every_setting_reaches_a_rule(field: str) -> None:
    """Changing any setting changes the rules."""
    default = getattr(AlertSettings(), field)
    other = OTHER[field] if field in OTHER else type(default)(default * 1.1 if default < 1 else default + 1)
    changed = AlertSettings(**{field: other})
    assert any(groups(changed, runtime) != groups(runtime=runtime) for runtime in RUNTIMES)


def test_the_signals_of_drift_are_those_of_the_runtime() -> None:
    """Texts are compared with the means of the hold-out, records with the training rows."""
    signals = {
        runtime: [rule["labels"]["signal"] for rule in groups(runtime=runtime)[-1]["rules"]
                  if "signal" in rule["labels"]] for runtime in RUNTIMES
    }  # fmt: skip
    assert signals == {
        "text": ["confidence", "unknown_words_ratio", "length_characters"],
        "onnx": ["missing_values", "out_of_range"],
    }


def test_every_rule_selects_only_its_tenant() -> None:
    """The label `namespace` is static, and every selector in an expression matches the tenant's namespace."""
    for group in [*groups(), *groups(runtime="onnx")]:
        for rule in group["rules"]:
            assert rule["labels"]["namespace"] == "team-x"
            selectors = re.findall(r"\{([^}]*)\}", rule["expr"])
            assert all('namespace="team-x"' in each for each in selectors), rule["expr"]


def test_every_alert_has_severity_tenant_value_and_threshold() -> None:
    """The labels severity and tenant, the tenant in the summary, and the value and threshold in the description."""
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["labels"]["tenant"] == "team-x"
        assert "team-x" in rule["annotations"]["summary"]
        description = rule["annotations"]["description"]
        measured = "$value" in description or rule["alert"] == "InferenceMetricsAbsent"  # absent() measures nothing
        assert measured, description
        assert "the threshold is" in description


def test_recorded_names_follow_the_convention() -> None:
    """Names are `level:metric:operations`, and unique."""
    recorded = [rule["record"] for group in groups() for rule in group["rules"] if "record" in rule]
    assert len(recorded) == len(set(recorded))
    for name in recorded:
        assert re.fullmatch(r"namespace:inference_[a-z_]+:[a-z0-9_]+", name)


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def test_tiles_are_recorded_once_per_tile() -> None:
    """Each tile begins with the last sample of the tile before, so no request is lost or counted twice."""
    (interval,) = {group["interval"] for group in groups() for rule in group["rules"]
                   if rule.get("record", "").endswith(f":increase{TILE}")}  # fmt: skip
    assert seconds(interval) == seconds(TILE) == TILE_SECONDS
    assert 0 < seconds(TILE_RANGE) - TILE_SECONDS < seconds(SCRAPE_INTERVAL)


def test_alerts_are_evaluated_at_least_once_while_they_are_pending() -> None:
    """No group evaluates an alert less often than its default time pending."""
    for group in groups():
        for rule in group["rules"]:
            if "alert" in rule:
                assert seconds(group["interval"]) <= max(seconds(rule["for"]), 120), rule["alert"]


def test_every_runbook_url_links_to_a_section() -> None:
    """The fragment is the anchor of exactly one heading."""
    headings = re.findall(r"^## (.+)$", RUNBOOK_FILE.read_text(), re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == RUNBOOK
        assert page.endswith("docs/runbook.md")
        assert anchors.count(anchor) == 1, rule["alert"]


def test_every_section_belongs_to_an_alert() -> None:
    """The runbook has no section without an alert."""
    assert sorted(re.findall(r"^## (.+)$", RUNBOOK_FILE.read_text(), re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_section_has_meaning_check_and_remedy(name: str) -> None:
    """Check and remedy have commands."""
    section = RUNBOOK_FILE.read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]
    meaning, check, remedy = re.split(r"\*\*How to check\.\*\*|\*\*What to do\.\*\*", section)
    assert "**What it means.**" in meaning
    assert "```sh" in check
    assert "```sh" in remedy


def test_every_command_of_the_runbook_exists() -> None:
    """The runbook uses only subcommands that `tenantry` has."""
    used = set(re.findall(r"\btenantry ([a-z]+)", RUNBOOK_FILE.read_text()))
    assert used <= {command.name for command in app.registered_commands}
    assert {"silence", "rollback", "synth"} <= used


def test_latency_threshold_must_be_a_bound_of_the_histogram() -> None:
    """Other values are rejected, because a histogram cannot count them."""
    with pytest.raises(ValidationError, match="must be a bucket bound of the service's latency histogram"):
        AlertSettings(latency_threshold_seconds=0.3)


def test_rules_need_no_jsii() -> None:
    """Importing rules, panels, routing and Helm values does not start Node."""
    code = (
        "import sys; from constructs_lib.monitoring import rules, dashboard, routing, stack; "
        "sys.exit('jsii' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
