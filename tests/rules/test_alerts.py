"""promtool checks every alert just below and just above its threshold, with low traffic and without data."""

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
"""Ten requests that all failed: the smallest number that may page."""
CASE_NAMES = [field.name for field in fields(Cases)]


def test_every_alert_has_its_cases() -> None:
    """Alerts and cases have the same keys."""
    assert set(CASES) == set(ALERTS)


def test_the_cases_expect_alerts_only_above_the_threshold() -> None:
    """`above` expects a measured value; `below` and `low_traffic` expect that the alert does not fire."""
    for cases in CASES.values():
        assert cases.above.measured is not None
        assert cases.below.measured is None
        assert cases.low_traffic.measured is None


@pytest.mark.parametrize("key", ALERTS)
@pytest.mark.parametrize("case_name", CASE_NAMES)
def test_alert_fires_if_and_only_if_expected(key: str, case_name: str, tmp_path: Path) -> None:
    """Promtool evaluates the rule over the series of the case; labels, value and annotations must be as expected."""
    result = promtool.check_alert(ALERTS[key], [getattr(CASES[key], case_name)], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("key", ALERTS)
def test_series_of_another_tenant_do_not_fire_an_alert(key: str, tmp_path: Path) -> None:
    """With the series above in another namespace, this tenant's alert behaves as without data."""
    above = CASES[key].above
    other_tenant = {name.replace("tenant-a", "tenant-b"): values for name, values in above.series.items()}
    case = replace(CASES[key].no_data, series=other_tenant, at=above.at)
    result = promtool.check_alert(ALERTS[key], [case], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("field", sorted(set(AlertSettings.model_fields) - {"runbook"}))
def test_a_changed_default_threshold_fails_the_cases(field: str, tmp_path: Path) -> None:
    """With a default that is 10 % higher, the cases of an alert that uses it fail."""
    settings = AlertSettings.model_validate({field: _raised(field)})
    key = next(key for key, rule in promtool.alerts(settings).items() if rule["expr"] != ALERTS[key]["expr"]
               or rule["for"] != ALERTS[key]["for"] or field.startswith("latency"))  # fmt: skip
    key = "InferenceLatencyBudgetBurn/critical/1h" if field.startswith("latency") else key
    cases = [getattr(CASES[key], case_name) for case_name in CASE_NAMES]
    cases += [TEN_FAILED] if "ErrorBudget" in key else []
    unchanged = promtool.check_alert(ALERTS[key], cases, tmp_path)
    assert unchanged.returncode == 0, unchanged.stdout + unchanged.stderr
    assert promtool.check_alert(promtool.alerts(settings)[key], cases, tmp_path, settings).returncode == 1


def _raised(field: str) -> float:
    default: float = getattr(AlertSettings(), field)
    if field.endswith("objective"):
        return 1 - (1 - default) * 1.1  # a larger budget
    if field == "latency_threshold_seconds":
        return 0.5  # the next bound
    return int(default * 1.1) + 1 if isinstance(default, int) else default * 1.1


@pytest.mark.parametrize("key", [key for key in ALERTS if "BudgetBurn" in key])
def test_a_burn_rate_alert_resolves_with_its_short_window(key: str, tmp_path: Path) -> None:
    """When the short window has no more bad requests the alert resolves, although the long window still has."""
    rule, case = ALERTS[key], CASES[key].above
    short = promtool.minutes(rule["labels"]["short"]) // case.step
    recovered = {name: f"{values} {_continued(name, values)}x{short + 5}" for name, values in case.series.items()}
    result = promtool.check_alert(rule, [case, Case(recovered, case.at + short + 5, step=case.step)], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def _continued(name: str, values: str) -> str:
    """Continue a counter from its last value: no more failed requests, and all requests are fast."""
    per_minute, times = values.removeprefix("0+").split("x")
    total = float(per_minute) * int(times)
    is_fast = 'le="0.25"' in name and 'route="predict"' in name
    rate = 0.0 if 'outcome="server_error"' in name else 10_000.0 if is_fast else float(per_minute)
    return f"{total + rate:.0f}+{rate:.0f}"
