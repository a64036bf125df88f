"""Autoscaling: load on one tenant scales this tenant only, and scales down afterwards."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from tests.e2e.cluster import LiveCluster, service_labels, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.load import Load

LOAD_SECONDS: Final = 100
RATE: Final = 400
CHARACTERS: Final = 100_000
"""Long texts: an answer costs the service much more CPU than a request costs the load generator."""
SMALL_REQUEST: Final = "100m"
"""CPU request of the pods under load: two cores cannot bring ten pods of 250m above their target."""
FACTOR: Final = 5.0
"""Maximum factor by which another tenant's p99 may grow while a tenant uses all the CPU that it can get."""
BURN_SECONDS: Final = 40


@dataclass(frozen=True)
class Moment:
    """The state of the autoscalers at one moment."""

    seconds: float
    replicas: Mapping[str, int]
    percent: int | None
    """CPU usage of the loaded tenant's pods, in percent of the request, from metrics-server."""


@pytest.mark.promise("autoscaling")
def test_load_scales_one_tenant_and_no_other(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence, pytestconfig: pytest.Config
) -> None:
    """The tenant scales from 2 to at most 10 pods by metrics-server's figures and down again; the other stays at 2."""
    tenant, *others = platform.tenants
    name = f"hpa/{workload(tenant)}"
    spec = cluster.kubectl.get("hpa", workload(tenant), "-n", tenant)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    assert spec["metrics"][0]["containerResource"]["target"]["averageUtilization"] == 50
    deployment = f"deployment/{workload(tenant)}"
    template = cluster.kubectl.get("deployment", workload(tenant), "-n", tenant)["spec"]["template"]
    resources = template["spec"]["containers"][0]["resources"]
    _resize(cluster, tenant, deployment, {"requests": {"cpu": SMALL_REQUEST}, "limits": {"cpu": "500m"}})
    cluster.kubectl.run("rollout", "status", deployment, "-n", tenant, "--timeout=240s")
    cluster.wait("two pods", lambda: "" if _running(cluster, tenant) == 2 else "another number", seconds=120)
    load, begin, timeline = Load(cluster, tenant, platform.image), time.time(), list[Moment]()
    load.stop()
    load.start(rate=RATE, connections=32, seconds=LOAD_SECONDS, characters=CHARACTERS)
    try:
        _watch(cluster, platform.tenants, timeline, begin, until=lambda: time.time() - begin > LOAD_SECONDS)
        down = {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}}}
        cluster.patch(tenant, name, {"spec": down})
        ended = time.time()
        _watch(
            cluster,
            platform.tenants,
            timeline,
            begin,
            until=lambda: timeline[-1].replicas[tenant] == 2 or time.time() - ended > 240,
        )
        window = load.window(begin, ended)
    finally:
        load.stop()
        cluster.patch(tenant, name, {"spec": {"behavior": spec["behavior"]}})
        _resize(cluster, tenant, deployment, resources)
    evidence.note(
        "autoscaling", f"The pods' CPU request was {SMALL_REQUEST} in this test, so that two cores are enough"
    )
    evidence.figure("autoscaling", f"load: texts of {CHARACTERS:,} characters for {LOAD_SECONDS} s", str(window))
    peak = max(moment.replicas[tenant] for moment in timeline)
    evidence.count("autoscaling", "readings of the autoscalers", len(timeline))
    evidence.figure("autoscaling", f"maximum number of pods of {tenant}", peak)
    evidence.figure("autoscaling", f"pods of {tenant} over time (s: pods)", _steps(timeline, tenant))
    evidence.figure("autoscaling", "maximum CPU of request, %", max(moment.percent or 0 for moment in timeline))
    _draw(timeline, Path(pytestconfig.getoption("--report")) / "scaling.svg")
    assert window.failed == {}, str(window)
    assert 4 <= peak <= 10
    assert timeline[-1].replicas[tenant] == 2
    assert {moment.replicas[other] for moment in timeline for other in others} == {2}
    reasons = [
        event["message"]
        for event in cluster.items("events", "-n", tenant)
        if event["reason"] == "SuccessfulRescale" and event["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
    ]
    above = "cpu container resource utilization (percentage of request) above target"
    assert any(above in reason for reason in reasons)


@pytest.mark.promise("fairness")
def test_a_tenant_at_its_cpu_limit_does_not_slow_another(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """While every pod of one tenant is at its CPU limit, the other tenant's p99 stays within the factor.

    Smaller limits and three pods, so that both tenants fit into two cores.
    """
    busy, other = platform.tenants[:2]
    deployment, autoscaler = f"deployment/{workload(busy)}", f"hpa/{workload(busy)}"
    template = cluster.kubectl.get("deployment", workload(busy), "-n", busy)["spec"]["template"]
    resources = template["spec"]["containers"][0]["resources"]
    small = {"requests": {"cpu": "50m"}, "limits": {"cpu": "200m"}}
    _resize(cluster, busy, deployment, small)
    cluster.patch(busy, autoscaler, {"spec": {"minReplicas": 3, "maxReplicas": 3}})
    load = Load(cluster, other, platform.image)
    load.stop()
    try:
        cluster.kubectl.run("rollout", "status", deployment, "-n", busy, "--timeout=240s")
        cluster.wait("three pods", lambda: "" if len(cluster.ready_pods(busy)) == 3 else "fewer", seconds=120)
        load.start(rate=30, connections=4, seconds=400, characters=100)
        quiet = _measure(load, BURN_SECONDS)
        pods = [pod["metadata"]["name"] for pod in cluster.ready_pods(busy)]
        with ThreadPoolExecutor(len(pods)) as pool:
            burning = [pool.submit(_burn, cluster, busy, pod, BURN_SECONDS + 25) for pod in pods]
            loud = _measure(load, BURN_SECONDS, after=5)
            burned = [each.result() for each in burning]
    finally:
        load.stop()
        _resize(cluster, busy, deployment, resources)
        cluster.patch(busy, autoscaler, {"spec": {"minReplicas": 2, "maxReplicas": 10}})
        platform.wait_until_ready([busy])
    ratio = round(loud.percentile(0.99) / quiet.percentile(0.99), 2)
    evidence.count("fairness", "requests to the other tenant", quiet.requests + loud.requests)
    evidence.figure("fairness", "other tenant, alone", str(quiet))
    evidence.figure("fairness", f"other tenant, with {len(pods)} pods at their limit of 200m", str(loud))
    evidence.figure("fairness", "p99 with load / p99 alone", f"{ratio} (at most {FACTOR})")
    evidence.figure("fairness", "CPU seconds that each pod used", burned)
    if sum(burned) < 0.5 * 0.2 * (BURN_SECONDS + 25) * len(pods):
        pytest.skip(f"the pods got only {sum(burned):.0f} CPU seconds: something outside the cluster uses this machine")
    assert quiet.failed == loud.failed == {}
    assert ratio <= FACTOR


def _burn(cluster: LiveCluster, tenant: str, pod: str, seconds: int) -> float:
    return float(cluster.python(tenant, pod, "burn", seconds, container="inference")["cpu_seconds"])


def _measure(load: Load, seconds: float, after: float = 3) -> Any:
    begin = time.time() + after
    load.wait_for(begin + seconds)
    return load.window(begin, begin + seconds)


def _resize(cluster: LiveCluster, tenant: str, deployment: str, resources: Mapping[str, Any]) -> None:
    arguments = [
        f"--{kind}={','.join(f'{name}={amount}' for name, amount in resources[kind].items())}"
        for kind in ("requests", "limits")
    ]
    cluster.kubectl.run("set", "resources", deployment, "-n", tenant, "-c", "inference", *arguments)


def _watch(cluster: LiveCluster, tenants: list[str], timeline: list[Moment], begin: float, *, until: Any) -> None:
    """Read the state of the autoscalers repeatedly."""

    def look() -> str:
        replicas = {each: _running(cluster, each) for each in tenants}
        status = cluster.kubectl.get("hpa", workload(tenants[0]), "-n", tenants[0])["status"]
        current = [each.get("containerResource") for each in status.get("currentMetrics") or ()]
        percent = current[0]["current"].get("averageUtilization") if current and current[0] else None
        timeline.append(Moment(round(time.time() - begin, 1), replicas, percent))
        return "" if until() else f"{replicas[tenants[0]]} pods of {tenants[0]}"

    cluster.wait("the autoscaler", look, seconds=LOAD_SECONDS + 300)


def _running(cluster: LiveCluster, tenant: str) -> int:
    return len(cluster.pods(tenant, labels=service_labels(tenant)))


def _steps(timeline: list[Moment], tenant: str) -> str:
    """The moments at which the number of pods changed."""
    steps = [moment for number, moment in enumerate(timeline) if _changes(timeline, number, tenant)]
    return ", ".join(f"{moment.seconds:.0f}: {moment.replicas[tenant]}" for moment in steps)


def _changes(timeline: list[Moment], number: int, tenant: str) -> bool:
    return number == 0 or timeline[number - 1].replicas[tenant] != timeline[number].replicas[tenant]


def _draw(timeline: list[Moment], path: Path) -> None:
    """Draw the pods of each tenant, and the loaded one's CPU, over time."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots()
    seconds = [moment.seconds for moment in timeline]
    for tenant, colour in zip(timeline[0].replicas, ("#e8710a", "#326ce5", "#5f6368"), strict=False):
        replicas = [moment.replicas[tenant] for moment in timeline]
        axes.step(seconds, replicas, where="post", label=f"{tenant}: pods", color=colour)
    axes.axvspan(0, LOAD_SECONDS, color="#e8710a", alpha=0.08, label=f"load on {next(iter(timeline[0].replicas))}")
    axes.set(xlabel="seconds", ylabel="pods", ylim=(0, 11), yticks=range(0, 11, 2))
    right = axes.twinx()
    known = [(moment.seconds, moment.percent) for moment in timeline if moment.percent is not None]
    right.plot(*zip(*known, strict=True), color="#9aa0a6", linewidth=1, label="CPU of request, % (right)")
    right.axhline(50, color="#9aa0a6", linewidth=0.8, linestyle="--")
    right.set(ylabel="CPU of request, %", ylim=(0, None))
    handles = [each for part in (axes, right) for each in part.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper right", fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "tenantry"}):
        figure.savefig(path, metadata={"Date": None})
