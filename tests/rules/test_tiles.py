"""What is computed from recorded series agrees with the counters that these are made of."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

from constructs_lib.monitoring.objectives import (
    FAST_PAGE,
    SLOW_PAGE,
    TILED_WINDOWS,
    objectives,
    page_rules,
    sum_of_tiles,
    ticket_rules,
)
from constructs_lib.monitoring.rule import MonitoredTenant
from constructs_lib.platform.alerts import AlertSettings
from inference import contract
from tests.rules import promtool
from tests.rules.series import DAY, DEPLOYMENT, JOB, TENANT, own

MONITORED = MonitoredTenant(
    name=TENANT, service=JOB, deployment=DEPLOYMENT, hpa=DEPLOYMENT, container="inference", settings=AlertSettings()
)
RULES = [*page_rules(MONITORED, FAST_PAGE), *ticket_rules(MONITORED), *page_rules(MONITORED, SLOW_PAGE)]
TOLERANCE = 0.01
AGREED = {f'{{namespace="{TENANT}"}}': 1.0}
DAYS = 4
SCRAPES = DAYS * DAY * 2
"""One every 30 s."""
CHECKED_AT = range(3 * DAY + 60, DAYS * DAY, 115)
"""Minutes from the time at which the longest window is full."""
RESTARTS = {"pod-a": (7_000, 10_900), "pod-b": (9_300,)}
"""Scrapes before which a pod is replaced, so that its counters start at 0 again."""


def test_recorded_windows_agree_with_the_counters(tmp_path: Path) -> None:
    """Share and number of bad requests differ by less than 1 % from those computed over the counters themselves.

    The series are two pods with daily traffic, short outbursts of failures and slow requests, and restarts.
    """
    chance = random.Random(22)  # noqa: S311 - reproducible series, not a secret
    series = {name: values for pod in RESTARTS for name, values in _counters(pod, chance)}
    expected = {
        _agree(tiled, counted): AGREED
        for objective in objectives(MONITORED)
        for window in TILED_WINDOWS
        for tiled, counted in (
            (
                f'{objective.ratio_series(window)}{{namespace="{TENANT}"}}',
                f"({objective.bad('rate', window)} / {objective.total('rate', window)})",
            ),
            (sum_of_tiles(MONITORED, objective.bad_tile, window), objective.bad("increase", window)),
        )
    }
    for objective in objectives(MONITORED):
        for window in ("5m", "30m", "1h"):
            ratio = f'{objective.ratio_series(window)}{{namespace="{TENANT}"}}'
            counted = f"({objective.bad('rate', window)} / {objective.total('rate', window)})"
            expected[_agree(ratio, counted)] = AGREED
        page = page_rules(MONITORED, FAST_PAGE)
        (alert,) = [rule for rule in page if rule.get("alert") == objective.alert]
        number = alert["expr"].rpartition("and\n")[2].partition(" >= ")[0]
        expected[_agree(f"({number})", objective.bad("increase", FAST_PAGE.long))] = AGREED
    groups = [{"name": "all", "rules": RULES}]
    result = promtool.evaluate(expected, series, CHECKED_AT, tmp_path, interval="30s", rule_groups=groups)
    assert result.returncode == 0, (result.stdout + result.stderr)[-2000:]


def _agree(one: str, other: str) -> str:
    return f"sum by (namespace) (abs({one} / {other} - 1) < bool {TOLERANCE})"


def _counters(pod: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """One pod's counters, as promtool takes them."""
    duration = contract.REQUEST_DURATION
    names = {
        "ok": own(contract.REQUESTS, pod=pod, route="predict", outcome="ok"),
        "server_error": own(contract.REQUESTS, pod=pod, route="predict", outcome="server_error"),
        "shed": own(contract.REQUESTS, pod=pod, route="predict", outcome="shed"),
        "fast": own(f"{duration}_bucket", pod=pod, route="predict", le="0.25"),
        "count": own(f"{duration}_count", pod=pod, route="predict"),
    }
    totals, values = dict.fromkeys(names, 0), {name: [0] for name in names}
    for scrape in range(1, SCRAPES + 1):
        if scrape in RESTARTS[pod]:
            totals = dict.fromkeys(names, 0)
        requests = int(60 + 40 * math.sin(scrape / (2 * DAY) * 2 * math.pi) + chance.randrange(20))
        is_burst = scrape % 1_500 < 40  # 20 minutes of every 12.5 hours
        failed, slow, shed = (requests // share if is_burst else chance.randrange(3) for share in (5, 3, 8))
        for name, count in {"ok": requests - failed, "server_error": failed, "shed": shed,
                            "fast": requests - slow, "count": requests}.items():  # fmt: skip
            totals[name] += count
            values[name].append(totals[name])
    for name, series_name in names.items():
        yield series_name, " ".join(map(str, values[name]))
