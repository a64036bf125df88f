"""CPU time that a real Prometheus needs to evaluate the rules of 1, 10 and 100 tenants.

`python -m bench.rules` backfills the series that the rules read (two pods per tenant, a sample every 30 s), starts a
Prometheus that scrapes nothing and evaluates the rules, and measures its CPU time, minus that of a Prometheus without
rules. All evaluation intervals are shortened by one factor and the result is scaled back, so that a measurement takes a
minute. Counters reach back three days for one tenant and eight hours for more, since no rule reads more of them;
recorded tiles always reach back three days. Results are written to bench/results/rules.json. The command fails if a
tenant costs more than the limit.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.machine import machine
from bench.prometheus import running_prometheus, version
from constructs_lib.monitoring.objectives import TILE_SECONDS, objectives
from constructs_lib.monitoring.rule import MonitoredTenant, RuleGroup
from constructs_lib.monitoring.rules import CONTAINER, rule_groups
from constructs_lib.names import object_name, service_name
from constructs_lib.platform.alerts import AlertSettings
from inference import contract
from tenantry.programs import find

COUNTS: Final = (1, 10, 100)
LIMIT_MS: Final = 5.0
"""CPU time per tenant and 30 s."""
SCRAPE_SECONDS: Final = 30
SPEEDUP: Final = 10
"""How much more often rules are evaluated than in production."""
WARM_UP_SECONDS: Final = 8
MEASURED_SECONDS: Final = 60
FRESH_SECONDS: Final = 600
"""The newest samples are backfilled last, so that they are not stale when Prometheus starts."""
HISTORY_SECONDS: Final = 3 * 86_400
SHORT_HISTORY_SECONDS: Final = 8 * 3_600
LONG_HISTORY_TENANTS: Final = 1
PODS: Final = ("a", "b")
RESULT: Final = Path(__file__).parent / "results" / "rules.json"

Sample = tuple[str, float, float]
"""A series, its value at the beginning, and its increase per second."""


def main() -> int:
    """Measure, write, print; 1 if a tenant costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of tenants")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures are written")
    options = parser.parse_args()
    rows = [_measured(count) for count in options.counts]
    report = {
        "limit_ms": LIMIT_MS,
        "tenants": rows,
        "prometheus": version(),
        "machine": machine(),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['tenants']:5} tenants {row['cpu_ms_per_tenant_and_30s']:7.2f} ms per tenant and 30 s")
    return 0 if all(row["cpu_ms_per_tenant_and_30s"] <= LIMIT_MS for row in rows) else 1


def _measured(count: int) -> dict[str, Any]:
    """The row of the report for a number of tenants."""
    names = [f"tenant-{number:04}" for number in range(count)]
    groups = {name: _groups(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="bench-rules-") as folder:
        history = HISTORY_SECONDS if count <= LONG_HISTORY_TENANTS else SHORT_HISTORY_SECONDS
        samples = _backfill(names, Path(folder) / "data", history)
        used = {}
        for case, evaluated in (("idle", {}), ("rules", groups)):
            _say(f"{count} tenants: measuring {case} for {MEASURED_SECONDS} s")
            used[case] = _cpu_seconds(Path(folder), evaluated)
    per_second = (used["rules"] - used["idle"]) / MEASURED_SECONDS
    rules = sum(len(group["rules"]) for group in next(iter(groups.values())))
    cost = per_second / SPEEDUP * 30 * 1000
    return {
        "tenants": count,
        "rules_per_tenant": rules,
        "samples": samples,
        "history_hours": history // 3_600,
        "idle_cpu_seconds": round(used["idle"], 3),
        "cpu_seconds": round(used["rules"], 3),
        "cpu_ms_per_tenant_and_30s": round(cost / count, 3),
    }


def _groups(tenant: str) -> list[RuleGroup]:
    """A tenant's rules, evaluated more often."""
    name = object_name(tenant)
    groups = rule_groups(tenant, service_name(tenant), name, name, AlertSettings())
    return [
        {**group, "name": f"{tenant}-{group['name']}", "interval": f"{_seconds(group) // SPEEDUP}s"} for group in groups
    ]


def _seconds(group: RuleGroup) -> int:
    interval = group.get("interval", f"{SCRAPE_SECONDS}s")
    return int(interval[:-1]) * {"s": 1, "m": 60}[interval[-1]]


def _cpu_seconds(folder: Path, groups: dict[str, list[RuleGroup]]) -> float:
    """CPU time of a Prometheus with these rules, after it has warmed up."""
    with _prometheus(folder, groups) as address:
        time.sleep(WARM_UP_SECONDS)
        before = _cpu(address)
        time.sleep(MEASURED_SECONDS)
        used = _cpu(address) - before
        _check(address, sum(len(group["rules"]) for each in groups.values() for group in each))
    return used


def _cpu(address: str) -> float:
    text = httpx.get(f"{address}/metrics", timeout=30, trust_env=False).text
    (line,) = [line for line in text.splitlines() if line.startswith("process_cpu_seconds_total ")]
    return float(line.split()[1])


def _check(address: str, expected: int) -> None:
    """Every rule was evaluated without an error, and the recording rules found their series."""
    data = httpx.get(f"{address}/api/v1/rules", timeout=60, trust_env=False).json()["data"]
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    unhealthy = [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"]
    if len(rules) != expected or unhealthy:
        raise SystemExit(f"{len(rules)} of {expected} rules, unhealthy: {unhealthy[:3]}")
    if expected:
        answer = httpx.get(
            f"{address}/api/v1/query",
            params={"query": 'count(count by (__name__) ({__name__=~"namespace:.+:ratio_rate.+"}))'},
            timeout=60,
            trust_env=False,
        ).json()["data"]["result"]
        recorded = {rule["name"] for rule in rules if ":ratio_rate" in rule["name"]}
        if not answer or int(answer[0]["value"][1]) != len(recorded):
            raise SystemExit(f"of {len(recorded)} recorded ratios Prometheus has {answer}: the series are stale")


@contextmanager
def _prometheus(folder: Path, groups: dict[str, list[RuleGroup]]) -> Iterator[str]:
    """A Prometheus over the backfilled data, which it leaves unchanged; yields its address."""
    data = folder / "run"
    shutil.copytree(folder / "data", data)
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    for tenant, each in groups.items():
        (rules / f"{tenant}.json").write_text(json.dumps({"groups": each}))
    files = [str(rules / "*.json")] if groups else []
    try:
        with running_prometheus(folder, {"global": {"evaluation_interval": "3s"}, "rule_files": files}) as address:
            yield address
    finally:
        shutil.rmtree(data)


def _backfill(names: Sequence[str], data: Path, history: int) -> int:
    """Write blocks with the tenants' series up to now, the newest samples last; returns the number of samples."""
    start = int(time.time()) - HISTORY_SECONDS
    until = int(time.time()) - FRESH_SECONDS
    written = _blocks(names, data, range(until - history, until, SCRAPE_SECONDS), range(start, until, TILE_SECONDS))
    end = int(time.time()) + 30
    return written + _blocks(names, data, range(until, end, SCRAPE_SECONDS), range(until, end, TILE_SECONDS))


def _blocks(names: Sequence[str], data: Path, scrapes: range, tiles: range) -> int:
    count = 0
    text = data.parent / "samples.txt"
    _say(f"{len(names)} tenants: backfilling {len(scrapes)} scrapes")
    with text.open("w") as file:
        for series, times in (each for name in names for each in _all_series(name, scrapes, tiles)):
            key, value, slope = series
            begin = times.start
            file.writelines(f"{key} {value + slope * (at - begin):.6g} {at}\n" for at in times)
            count += len(times)
        file.write("# EOF\n")
    command = [
        find("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "--max-block-duration=54h",
        str(text),
        str(data),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"promtool failed: {result.stderr[-1000:]}")
    text.unlink()
    return count


def _all_series(tenant: str, scrapes: range, tiles: range) -> Iterator[tuple[Sample, range]]:
    for sample in _scraped(tenant):
        key, value, slope = sample
        # A counter continues where the blocks before ended.
        offset = slope * (scrapes.start % 10_000_000)
        yield (key, value + offset, slope), scrapes
    name = object_name(tenant)
    monitored = MonitoredTenant(
        name=tenant, service=service_name(tenant), deployment=name, hpa=name, container=CONTAINER,
        settings=AlertSettings(),
    )  # fmt: skip
    for objective in objectives(monitored):
        for tile, requests in ((objective.bad_tile, 3.0), (objective.total_tile, 3_000.0)):
            yield (f'{tile}{{namespace="{tenant}"}}', requests, 0.0), tiles


def _scraped(tenant: str) -> Iterator[Sample]:
    """The series that a tenant's rules read, from its pods, kube-state-metrics and cAdvisor."""
    job, name = service_name(tenant), object_name(tenant)
    kube = f'namespace="{tenant}",job="kube-state-metrics",instance="10.0.0.1:8080"'
    for kind in ("spec_replicas", "status_replicas_ready", "status_replicas_available"):
        yield f'kube_deployment_{kind}{{{kube},deployment="{name}"}}', len(PODS), 0.0
    for kind, replicas in (("status_current_replicas", 2), ("spec_max_replicas", 10), ("spec_min_replicas", 2)):
        yield f'kube_horizontalpodautoscaler_{kind}{{{kube},horizontalpodautoscaler="{name}"}}', replicas, 0.0
    for resource in ("limits.cpu", "limits.memory", "pods", "requests.cpu", "requests.memory"):
        for kind, value in (("hard", 100), ("used", 20)):
            yield (
                f'kube_resourcequota{{{kube},resourcequota="{tenant}",resource="{resource}",type="{kind}"}}',
                value,
                0.0,
            )
    for pod in PODS:
        container = f'namespace="{tenant}",pod="{name}-{pod}",container="{CONTAINER}"'
        yield f'kube_pod_container_status_restarts_total{{{container},job="kube-state-metrics",uid="{pod}"}}', 0, 0.0
        for resource, limit in (("cpu", 0.5), ("memory", 2.0**29)):
            labels = f'{container},job="kube-state-metrics",uid="{pod}",resource="{resource}"'
            yield f"kube_pod_container_resource_limits{{{labels}}}", limit, 0.0
        for metric, start, slope in (
            ("container_memory_working_set_bytes", 2.0**27, 0.0),
            ("container_cpu_cfs_throttled_periods_total", 0.0, 0.1),
            ("container_cpu_cfs_periods_total", 0.0, 10.0),
        ):
            yield f'{metric}{{{container},job="kubelet",metrics_path="/metrics/cadvisor"}}', start, slope
        yield from _exposed(
            f'namespace="{tenant}",job="{job}",service="{job}",pod="{name}-{pod}",instance="{pod}:8000"'
        )


def _exposed(target: str) -> Iterator[Sample]:
    """The series of one pod's service that the rules read, and the other buckets of their histograms."""
    yield f"up{{{target}}}", 1, 0.0
    yield f'{contract.MODEL_INFO}{{{target},model="spam",model_version="aaaa",digest="aaaa"}}', 1, 0.0
    rates = {"ok": 5.0, "client_error": 0.1, "server_error": 0.005, "shed": 0.05}
    bounds = [str(bound) for bound in contract.LATENCY_BUCKETS] + ["+Inf"]
    for route in contract.ROUTES:
        for outcome, rate in rates.items():
            yield f'{contract.REQUESTS}{{{target},route="{route}",outcome="{outcome}"}}', 0, rate
        for number, bound in enumerate(bounds, start=1):
            labels = f'{target},route="{route}",le="{bound}"'
            yield f"{contract.REQUEST_DURATION}_bucket{{{labels}}}", 0, 5.0 * number / len(bounds)
        yield f'{contract.REQUEST_DURATION}_count{{{target},route="{route}"}}', 0, 5.0
    for reason in contract.SHED_REASONS:
        yield f'{contract.SHED}{{{target},reason="{reason}"}}', 0, rates["shed"]
    for metric, signal, mean in (
        (contract.CONFIDENCE, "confidence", 0.95),
        (contract.UNKNOWN_WORDS, "unknown_words_ratio", 0.1),
        (contract.TEXT_LENGTH, "length_characters", 2_000.0),
    ):
        yield f'{metric}_sum{{{target},model_version="aaaa"}}', 0, 5.0 * mean
        yield f'{metric}_count{{{target},model_version="aaaa"}}', 0, 5.0
        yield f'{contract.BASELINE}{{{target},model_version="aaaa",signal="{signal}"}}', mean, 0.0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
