"""`tenantry usage` reads a real Prometheus, and its figures are compared with what pods really counted."""

import csv
import io
import json
import time
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from bench.prometheus import running_prometheus
from constructs_lib.names import SCRAPE_SECONDS
from inference import contract
from tenantry.cli import app
from tenantry.cluster.prometheus import Prometheus
from tenantry.usage.gaps import PROMETHEUS, STEP_SECONDS
from tenantry.usage.gaps import TENANT as NOT_SCRAPED
from tenantry.usage.period import Period, utc
from tenantry.usage.tenant import CallerUsage, TenantUsage, anything_recorded, tenant_usage
from tests.example_platform import EXAMPLE
from tests.rules.history import CPU_SHARE, History, Pod
from tests.rules.series import TENANT

HOUR = 3_600
REMOVED = "tenant-removed"
HOURS = 72
END = int(time.time()) // (24 * HOUR) * 24 * HOUR
START = END - HOURS * HOUR


def at(hours: float) -> int:
    return START + round(hours * HOUR)


RATES = {"shop": 5.0, "web": 0.5}
HISTORY = History(
    pods=[
        # Older than the period, and replaced by a rollout in it.
        Pod("old-1", [at(-30)], at(10.3), RATES),
        Pod("old-2", [at(-20)], at(10.31), RATES),
        Pod("new-1", [at(10.29)], at(HOURS) + 60, RATES, unreachable=(at(40) + 7, at(40.2) + 7)),
        # Restarts: inside a window, next to a border of windows, twice in a window, and while Prometheus is down.
        Pod("new-2", [at(10.3), at(15.5), at(18) - 4, at(20.2), at(20.4), at(30.5)], at(HOURS) + 60, RATES),
        # The autoscaler adds pods for less than an hour, for less than a scrape, and with a caller that is new.
        Pod("scaled-1", [at(24.1)], at(24.6), RATES),
        Pod("scaled-2", [at(24.2)], at(24.2) + 20, RATES),
        Pod("scaled-3", [at(25.9)], at(26.2), {"shop": 5.0, "late": 1.0}),
        Pod("removed", [at(50)], at(51), {"anonymous": 1.0}, tenant=REMOVED),
    ],
    outages=[(at(30), at(31))],
)
OWN = History([pod for pod in HISTORY.pods if pod.tenant == TENANT], HISTORY.outages)
PERIODS = {
    "whole": (START, END),
    "no whole hours": (at(3.21), at(27.77)),
    "less than a window": (at(15.4), at(15.9)),
    "ends in the outage": (at(1), at(30.4)),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("usage")
    HISTORY.write(folder)
    with running_prometheus(folder, {}) as found:
        yield found


def usage(address: str, start: int = START, end: int = END, tenant: str = TENANT) -> TenantUsage:
    prometheus, period = Prometheus(address), Period(start, end)
    return tenant_usage(prometheus, period, tenant, anything_recorded(prometheus, period))


def callers(found: TenantUsage) -> dict[str, CallerUsage]:
    return {each.caller: each for each in found.callers}


@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS.keys())
def test_every_request_that_was_stored_counts_once(address: str, period: tuple[int, int]) -> None:
    found = callers(usage(address, *period))
    for caller in found.keys() - {"unknown"}:
        stored = OWN.stored(caller, *period)
        counted = found[caller]
        assert (counted.requests, counted.texts) == (stored, 3 * stored), caller
        assert counted.rejected[contract.RATE_LIMIT] == 2 * stored
        assert counted.work_seconds == pytest.approx(stored / 1_000)


def test_what_is_missing_is_at_most_a_scrape_of_each_pod_that_ended(address: str) -> None:
    """Requests come in bursts of twice the mean rate; one process ends while Prometheus is down, after half an hour."""
    found = usage(address)
    for caller, ended in (("shop", 10), ("web", 9), ("late", 1)):
        truth, counted = OWN.truth(caller, START, END), callers(found)[caller].requests
        per_scrape = 2 * {**RATES, "late": 1.0}[caller] * SCRAPE_SECONDS
        in_outage = {**RATES, "late": 0}[caller] * HOUR / 2
        # At each border the last scrape before it decides in which period a request counts.
        borders = 2 * per_scrape
        assert truth - ended * per_scrape - in_outage - 2 * borders <= counted <= truth + borders, caller
    assert found.pods_ended == 5 + 5


def test_the_figures_are_closer_to_the_truth_than_increase(address: str) -> None:
    """Of pods that live for minutes it misses what they counted before the first scrape, or invents requests."""
    period = (at(24), at(27))
    truth = OWN.truth("shop", *period)
    (increase,) = (
        Prometheus(address)
        .instant(f'sum(increase({contract.CALLER_REQUESTS}{{namespace="{TENANT}",caller="shop"}}[3h]))', period[1])
        .values()
    )
    counted = callers(usage(address, *period))["shop"].requests
    assert abs(truth - counted) < abs(truth - increase) / 2


@pytest.mark.parametrize("border", [at(10.3), at(17.123), at(20.3), at(24.3)])
def test_two_periods_in_a_row_add_up_to_the_whole(address: str, border: int) -> None:
    """Whatever ends or restarts at the border between them."""
    parts = [callers(usage(address, START, border)), callers(usage(address, border, at(27)))]
    for caller, whole in callers(usage(address, START, at(27))).items():
        found = [part.get(caller, CallerUsage(caller=caller)) for part in parts]
        assert sum(each.requests for each in found) == whole.requests, caller
        assert sum(each.rejected["in_flight"] for each in found) == whole.rejected["in_flight"]


def test_cpu_time_is_divided_by_the_time_that_predictions_took(address: str) -> None:
    found = usage(address)
    lived = sum(min(end, END) - max(begin, START) for pod in OWN.pods for begin, end in pod.lives() if end > START)
    assert found.cpu_seconds == pytest.approx(CPU_SHARE * lived, rel=0.01)
    by_caller = {name: each.cpu_seconds or 0 for name, each in callers(found).items()}
    assert sum(by_caller.values()) == pytest.approx(found.cpu_seconds)
    assert by_caller["shop"] == pytest.approx(10 * by_caller["web"], rel=0.02)


def test_requests_that_were_shed_for_the_load_have_no_known_caller(address: str) -> None:
    """Those above a caller's own limit count for the caller only."""
    unknown = callers(usage(address))["unknown"]
    assert unknown.rejected["in_flight"] > 1_000
    assert unknown.rejected[contract.RATE_LIMIT] == unknown.requests == 0


def test_peak_pods_are_those_that_ran_at_the_same_time(address: str) -> None:
    assert usage(address, at(24.3), at(24.5)).peak_pods == 3
    assert usage(address, at(41), at(50)).peak_pods == 2


def test_gaps_are_reported_with_their_cause(address: str) -> None:
    """An hour without Prometheus is a gap; a pod that could not be scraped is not, because another one was."""
    found = usage(address)
    (gap,) = found.gaps
    assert gap.cause == PROMETHEUS
    assert abs(gap.start - at(30)) <= STEP_SECONDS
    assert abs(gap.end - at(31)) <= STEP_SECONDS
    assert found.failed_scrapes == 0.2 * HOUR / SCRAPE_SECONDS
    removed = usage(address, at(49), at(52), REMOVED)
    assert [gap.cause for gap in removed.gaps] == [NOT_SCRAPED] * 2


def test_what_was_counted_before_the_first_sample_is_not_billed(address: str) -> None:
    """A period that begins in an outage: when it ends, the counters show what was counted before the period, too."""
    found = callers(usage(address, at(30.7), at(33)))
    truth = OWN.truth("shop", at(31), at(33))
    assert truth - 4 * 2 * RATES["shop"] * SCRAPE_SECONDS <= found["shop"].requests <= truth


# --- the command ---


def run(address: str, *arguments: str) -> Result:
    start, end = utc(START)[:10], utc(END)[:10]
    period = () if "--since" in arguments else ("--since", start, "--until", end)
    return CliRunner().invoke(app, ["usage", "--file", str(EXAMPLE), "--prometheus", address, *period, *arguments])


def test_json_has_every_figure(address: str) -> None:
    result = run(address, TENANT, "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    (tenant,) = document["tenants"]
    assert (document["since"], document["until"]) == (utc(START), utc(END))
    assert tenant["requests"] == sum(OWN.stored(caller, START, END) for caller in ("shop", "web", "late"))
    assert [each["caller"] for each in tenant["callers"]] == ["late", "shop", "unknown", "web"]
    assert tenant["gaps"][0]["cause"] == PROMETHEUS
    assert "reading the samples of tenant-a" in result.stderr
    assert "gap" in result.stderr


def test_csv_has_a_row_per_tenant_and_caller_and_removed_tenants_are_in_it(address: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run(address, "--format", "csv").stdout)))
    assert [(row["tenant"], row["caller"]) for row in rows] == [
        *((TENANT, caller) for caller in ("late", "shop", "unknown", "web")),
        *((REMOVED, caller) for caller in ("anonymous", "unknown")),
    ]
    (shop,) = (row for row in rows if row["caller"] == "shop")
    assert int(shop["requests"]) == OWN.stored("shop", START, END)
    assert int(shop["rejected_rate_limit"]) == 2 * int(shop["requests"])
    assert int(shop["tenant_gap_seconds"]) == pytest.approx(HOUR, abs=2 * STEP_SECONDS)


def test_text_has_a_table_and_says_what_is_missing(address: str) -> None:
    lines = run(address, TENANT).stdout.splitlines()
    (shop,) = (line for line in lines if line.startswith("  shop"))
    assert f"{OWN.stored('shop', START, END):,}" in shop.split()
    assert any("Prometheus recorded nothing" in line for line in lines)
    assert any("up to 30 s of each are not counted" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nobody",), 2, "has a tenant 'nobody'"),
        (("--since", "soon"), 2, "--since soon: write days, hours and minutes"),
        (("--since", "2026-02-30"), 2, "write a date"),
        (("--since", "2020-01-01", "--until", "2020-01-02"), 1, "no samples of tenant-a, tenant-b in this period"),
        (("--prometheus", "http://127.0.0.1:9"), 1, "Prometheus does not answer on http://127.0.0.1:9"),
        (("--prometheus", "ftp://127.0.0.1"), 2, "write http://HOST:PORT"),
        (("--prometheus", "http://127.0.0.1:9", "--port-forward"), 2, "exclude each other"),
    ],
)
def test_what_is_wrong_is_said(address: str, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run(address, *arguments)
    assert (result.exit_code, message in result.stderr) == (code, True), result.output
