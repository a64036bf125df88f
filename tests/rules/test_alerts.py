"""Every alert is asked by promtool: just below, just above, with little traffic, and without any data."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from constructs_lib.platform.alerts import AlertSettings
from inference import contract
from tests.rules import promtool
from tests.rules.cases import CASES, Case, Cases, late
from tests.rules.series import own, requests

ALERTS = promtool.alerts()
TEN_FAILED = Case(
    requests(90) | {own(contract.REQUESTS, route="predict", outcome="server_error"): late(10, 90)}, 90, "100%"
)
"""Ten requests, and all of them failed: the least that may page."""
QUESTIONS = [question.name for question in fields(Cases)]


def test_every_alert_has_its_cases() -> None:
    """An alert without cases, or cases without their alert, fail here."""
    assert set(CASES) == set(ALERTS)


def test_an_alert_fires_above_and_is_quiet_below() -> None:
    """The cases themselves ask for both."""
    for cases in CASES.values():
        assert cases.above.measured is not None
        assert cases.below.measured is None
        assert cases.low_traffic.measured is None


@pytest.mark.parametrize("key", ALERTS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_alert_fires_exactly_when_it_should(key: str, question: str, tmp_path: Path) -> None:
    """Promtool evaluates the rule over the case's series; labels, value and wording must be as expected."""
    result = promtool.ask(ALERTS[key], [getattr(CASES[key], question)], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("key", ALERTS)
def test_another_tenants_trouble_fires_nothing(key: str, tmp_path: Path) -> None:
    """The same series of another namespace leave this tenant's alert as it is without data."""
    above = CASES[key].above
    strangers = {name.replace("tenant-a", "tenant-b"): values for name, values in above.series.items()}
    quiet = replace(CASES[key].no_data, series=strangers, at=above.at)
    result = promtool.ask(ALERTS[key], [quiet], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("field", sorted(set(AlertSettings.model_fields) - {"runbook"}))
def test_a_raised_threshold_is_noticed(field: str, tmp_path: Path) -> None:
    """With any default a tenth higher, the cases of an alert that it belongs to fail."""
    settings = AlertSettings.model_validate({field: _raised(field)})
    key = next(key for key, rule in promtool.alerts(settings).items() if rule["expr"] != ALERTS[key]["expr"]
               or rule["for"] != ALERTS[key]["for"] or field.startswith("latency"))  # fmt: skip
    key = "InferenceLatencyBudgetBurn/critical/1h" if field.startswith("latency") else key
    cases = [getattr(CASES[key], question) for question in QUESTIONS]
    cases += [TEN_FAILED] if "ErrorBudget" in key else []
    unchanged = promtool.ask(ALERTS[key], cases, tmp_path)
    assert unchanged.returncode == 0, unchanged.stdout + unchanged.stderr
    assert promtool.ask(promtool.alerts(settings)[key], cases, tmp_path, settings).returncode == 1


def _raised(field: str) -> float:
    default: float = getattr(AlertSettings(), field)
    if field.endswith("objective"):
        return 1 - (1 - default) * 1.1  # a larger budget
    if field == "latency_threshold_seconds":
        return 0.5  # the next bound
    return int(default * 1.1) + 1 if isinstance(default, int) else default * 1.1


@pytest.mark.parametrize("key", [key for key in ALERTS if "BudgetBurn" in key])
def test_a_burn_that_is_over_fires_no_more(key: str, tmp_path: Path) -> None:
    """When the short window is clean again the alert ends, though the long one still remembers."""
    rule, case = ALERTS[key], CASES[key].above
    short = promtool.minutes(rule["labels"]["short"]) // case.step
    healed = {name: f"{values} {_onwards(name, values)}x{short + 5}" for name, values in case.series.items()}
    result = promtool.ask(rule, [case, Case(healed, case.at + short + 5, step=case.step)], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def _onwards(name: str, values: str) -> str:
    """The counter goes on from where it stood; failed ones stand still, slow ones are fast from now on."""
    per_minute, times = values.removeprefix("0+").split("x")
    total = float(per_minute) * int(times)
    is_fast = 'le="0.25"' in name and 'route="predict"' in name
    rate = 0.0 if 'outcome="server_error"' in name else 10_000.0 if is_fast else float(per_minute)
    return f"{total + rate:.0f}+{rate:.0f}"
