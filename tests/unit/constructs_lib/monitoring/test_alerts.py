"""Alert rules, as code: labels, wording, runbook, thresholds."""

import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from constructs_lib.monitoring.alerts import rule_groups
from constructs_lib.monitoring.scope import Rule
from constructs_lib.platform.alerts import RUNBOOK, AlertSettings
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
"""Values other than the defaults, where half as much again would be none."""


def groups(settings: AlertSettings | None = None) -> list[Rule]:
    return rule_groups("team-x", "team-x-svc", "team-x-deployment", "team-x-hpa", settings or AlertSettings())


def alerts() -> list[Rule]:
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


NAMES = sorted({rule["alert"] for rule in alerts()})


@pytest.mark.parametrize("field", AlertSettings.model_fields)
def test_every_setting_reaches_a_rule(field: str) -> None:
    """A threshold that no rule reads would be a lie in platform.yaml."""
    default = getattr(AlertSettings(), field)
    other = OTHER[field] if field in OTHER else type(default)(default * 1.1 if default < 1 else default + 1)
    assert groups(AlertSettings(**{field: other})) != groups()


def test_every_rule_is_the_tenants_own() -> None:
    """Label `namespace` is static, and every selector in an expression names the tenant."""
    for group in groups():
        for rule in group["rules"]:
            assert rule["labels"]["namespace"] == "team-x"
            selectors = re.findall(r"\{([^}]*)\}", rule["expr"])
            assert all('namespace="team-x"' in each for each in selectors), rule["expr"]


def test_every_alert_says_who_how_bad_and_how_much() -> None:
    """Severity, tenant, a summary that names it, the measured value and the threshold."""
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["labels"]["tenant"] == "team-x"
        assert "team-x" in rule["annotations"]["summary"]
        description = rule["annotations"]["description"]
        measured = "$value" in description or rule["alert"] == "InferenceMetricsAbsent"  # absent() measures nothing
        assert measured, description
        assert "the threshold is" in description


def test_recorded_names_follow_the_convention() -> None:
    """`level:metric:operations`, and each name once."""
    recorded = [rule["record"] for group in groups() for rule in group["rules"] if "record" in rule]
    assert len(recorded) == len(set(recorded))
    for name in recorded:
        assert re.fullmatch(r"namespace:inference_[a-z_]+:[a-z0-9_]+", name)


def test_every_runbook_url_leads_to_a_section() -> None:
    """The address' fragment is the anchor that Markdown gives to a heading that exists, and to one section only."""
    headings = re.findall(r"^## (.+)$", RUNBOOK_FILE.read_text(), re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == RUNBOOK
        assert page.endswith("docs/runbook.md")
        assert anchors.count(anchor) == 1, rule["alert"]


def test_every_section_is_of_an_alert() -> None:
    """The runbook has no section whose alert is gone."""
    assert sorted(re.findall(r"^## (.+)$", RUNBOOK_FILE.read_text(), re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_section_says_what_it_means_how_to_check_and_what_to_do(name: str) -> None:
    """Meaning, check and remedy, the latter two with commands."""
    section = RUNBOOK_FILE.read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]
    meaning, check, remedy = re.split(r"\*\*How to check\.\*\*|\*\*What to do\.\*\*", section)
    assert "**What it means.**" in meaning
    assert "```sh" in check
    assert "```sh" in remedy


def test_every_command_of_the_runbook_exists() -> None:
    """Verbs of `tenantry` are those that it has."""
    used = set(re.findall(r"\btenantry ([a-z]+)", RUNBOOK_FILE.read_text()))
    assert used <= {command.name for command in app.registered_commands}
    assert {"silence", "rollback", "synth"} <= used


def test_latency_threshold_must_be_a_bound_of_the_histogram() -> None:
    """A share between two bounds cannot be counted."""
    with pytest.raises(ValidationError, match="must be a bucket bound of the service's latency histogram"):
        AlertSettings(latency_threshold_seconds=0.3)


def test_rules_need_no_jsii() -> None:
    """Rules, panels, routing and what the stack shares are read without starting Node."""
    code = (
        "import sys; from constructs_lib.monitoring import alerts, dashboard, routing, stack; "
        "sys.exit('jsii' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
