"""For every alert: series with which it does not fire and series with which it fires.

The figures are written out, not computed from the default thresholds, so that a changed default fails here.
"""

from dataclasses import dataclass, field

from tests.rules.series import (
    DAY,
    DEPLOYMENT,
    JOB,
    OTHER_POD,
    POD,
    Series,
    autoscaler,
    cadvisor,
    counter,
    deployment,
    digests,
    drift,
    flat,
    idle,
    kube,
    latencies,
    own,
    requests,
    rows,
)


@dataclass(frozen=True)
class Case:
    """Series, and whether one alert fires on them at one time.

    Args:
        series: what Prometheus has scraped.
        at: the step at which the alert is checked.
        measured: the value as the description words it; None if the alert must not fire.
        labels: labels that the alert takes from its series, in addition to its static ones.
        step: minutes per step; series and `at` count in steps.
    """

    series: Series
    at: int
    measured: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    step: int = 1


@dataclass(frozen=True)
class Cases:
    """The four cases that every alert has."""

    below: Case
    above: Case
    low_traffic: Case
    no_data: Case


def of_state(length: int, below: Series, above: Series, measured: str, **labels: str) -> Cases:
    """Cases of an alert that does not depend on traffic: it does not fire for an idle tenant either."""
    return Cases(
        below=Case(below, length),
        above=Case(above, length, measured, labels),
        low_traffic=Case(idle(length) | below, length),
        no_data=Case({}, length),
    )


def of_errors(length: int, below: float, above: float, measured: str, step: int = 1) -> Cases:
    """Failed requests per 10,000 requests and step; nine failures in total never fire, whatever their share."""
    return Cases(
        below=Case(
            requests(length, ok=10_000 - below, client_error=500, server_error=below, shed=5_000), length, step=step
        ),
        above=Case(requests(length, ok=10_000 - above, server_error=above), length, measured, step=step),
        low_traffic=Case(_nine_failed(length), length, step=step),
        no_data=Case({}, length, step=step),
    )


def of_latency(length: int, below: float, above: float, measured: str, step: int = 1) -> Cases:
    """Slow requests per 10,000 requests and step, with the same minimum."""
    return Cases(
        below=Case(latencies(length, fast=10_000 - below, slow=below), length, step=step),
        above=Case(latencies(length, fast=10_000 - above, slow=above), length, measured, step=step),
        low_traffic=Case(_nine_slow(length), length, step=step),
        no_data=Case({}, length, step=step),
    )


def late(total: int, length: int) -> str:
    """0 at first, then one more per step up to `total`, which is reached shortly before the end."""
    return f"{flat(0, length - total - 2)} 1+1x{total - 1} {flat(total, 5)}"


def _nine_failed(length: int) -> Series:
    """Nine requests, all failed: 100 %, but too few requests to fire."""
    failed = requests(length)
    key = next(series for series in failed if 'outcome="server_error"' in series)
    return failed | {key: late(9, length)}


def _nine_slow(length: int) -> Series:
    slow = latencies(length, fast=0, slow=0)
    all_slow = [series for series in slow if 'route="predict"' in series and 'le="0.' not in series]
    return slow | dict.fromkeys(all_slow, late(9, length))


def _up(length: int, *, up: int, down: int) -> Series:
    pods = [own("up", pod=f"{POD}{number}") for number in range(up + down)]
    return {pod: flat(1 if number < up else 0, length) for number, pod in enumerate(pods)}


def _restarts(total: int) -> Series:
    """Restarts of one pod, one every two minutes; the single restart of another pod must not be added."""
    metric = "kube_pod_container_status_restarts_total"
    values = " ".join(f"{number} {number}" for number in range(total + 1)) + f" {total}x30"
    return {
        kube(metric, pod=POD, uid="1", container="inference"): values,
        kube(metric, pod=OTHER_POD, uid="2", container="inference"): "0 1x30",
    }


def _throttled(length: int, share: float) -> Series:
    return {
        cadvisor("container_cpu_cfs_throttled_periods_total"): counter(600 * share, length),
        cadvisor("container_cpu_cfs_periods_total"): counter(600, length),
        cadvisor("container_cpu_cfs_throttled_periods_total", container="other"): counter(600, length),
        cadvisor("container_cpu_cfs_periods_total", container="other"): counter(600, length),
    }


def _memory(length: int, used: float) -> Series:
    limit = 512 * 2**20
    of_container = {"uid": "1", "container": "inference", "node": "worker"}
    return {
        cadvisor("container_memory_working_set_bytes"): flat(used * limit, length),
        kube("kube_pod_container_resource_limits", pod=POD, resource="memory", unit="byte", **of_container): flat(
            limit, length
        ),
        kube("kube_pod_container_resource_limits", pod=POD, resource="cpu", unit="core", **of_container): flat(
            0.5, length
        ),
    }


def _quota(length: int, used: int) -> Series:
    quota = {"resourcequota": "tenant-a", "resource": "limits.cpu"}
    return {
        kube("kube_resourcequota", type="used", **quota): flat(used, length),
        kube("kube_resourcequota", type="hard", **quota): flat(1000, length),
        kube("kube_resourcequota", type="hard", resourcequota="tenant-a", resource="count/pods"): flat(0, length),
    }


def _drift(signal: str, below: float, above: float, measured: str) -> Cases:
    """A mean that differs, with more than 200 predictions in six hours; with fewer the alert never fires."""
    length = 8 * 60
    enough, too_few = 0.6, 0.5
    return Cases(
        below=Case(drift(length, per_minute=enough, **{signal: below}), length),
        above=Case(drift(length, per_minute=enough, **{signal: above}), length, measured, {"model_version": "aaaa"}),
        low_traffic=Case(drift(length, per_minute=too_few, **{signal: above}), length),
        no_data=Case({}, length),
    )


def _row_drift(signal: str, below: float, above: float, measured: str) -> Cases:
    """A share of rows, with more than 200 rows in six hours; with fewer the alert never fires."""
    length = 8 * 60
    enough, too_few = 0.6, 0.5
    labels = {"model_version": "aaaa", "feature": "age"}
    return Cases(
        below=Case(rows(length, per_minute=enough, **{signal: below}), length),
        above=Case(rows(length, per_minute=enough, **{signal: above}), length, measured, labels),
        low_traffic=Case(rows(length, per_minute=too_few, **{signal: above}), length),
        no_data=Case({}, length),
    )


CASES: dict[str, Cases] = {
    # 14.4, 6, 3 and 1 times a budget of 0.1 %
    "InferenceErrorBudgetBurn/critical/1h": of_errors(90, below=143, above=145, measured="1.45%"),
    "InferenceErrorBudgetBurn/critical/6h": of_errors(420, below=59, above=61, measured="0.61%"),
    "InferenceErrorBudgetBurn/warning/1d": of_errors((DAY + 120) // 10, below=29, above=31, measured="0.31%", step=10),
    "InferenceErrorBudgetBurn/warning/3d": of_errors(
        (3 * DAY + 300) // 30, below=9, above=11, measured="0.11%", step=30
    ),
    # ... and of a budget of 1 %
    "InferenceLatencyBudgetBurn/critical/1h": of_latency(90, below=1430, above=1450, measured="14.5%"),
    "InferenceLatencyBudgetBurn/critical/6h": of_latency(420, below=590, above=610, measured="6.1%"),
    "InferenceLatencyBudgetBurn/warning/1d": of_latency(
        (DAY + 120) // 10, below=290, above=310, measured="3.1%", step=10
    ),
    "InferenceLatencyBudgetBurn/warning/3d": of_latency(
        (3 * DAY + 300) // 30, below=90, above=110, measured="1.1%", step=30
    ),
    "InferenceRequestsShed/warning": Cases(
        below=Case(requests(30, ok=9_510, shed=490, rate_limited=10_000), 30),
        above=Case(requests(30, ok=9_490, shed=510, rate_limited=10_000), 30, "5.1%"),
        low_traffic=Case(requests(30, ok=1, shed=1.7), 30),
        no_data=Case({}, 30),
    ),
    "InferenceRequestsShed/critical": Cases(
        below=Case(requests(30, ok=5_100, shed=4_900, rate_limited=10_000), 30),
        above=Case(requests(30, ok=4_900, shed=5_100, rate_limited=10_000), 30, "51%"),
        low_traffic=Case(requests(30, ok=1, shed=1.7), 30),
        no_data=Case({}, 30),
    ),
    "InferenceTargetDown/critical": of_state(5, _up(5, up=1, down=9), _up(5, up=0, down=10), "100%"),
    "InferenceTargetDown/warning": of_state(15, _up(15, up=10, down=0), _up(15, up=9, down=1), "10%"),
    "InferenceMetricsAbsent/critical": Cases(
        below=Case(requests(5), 5),
        above=Case({own("up"): flat(1, 5)}, 5, "0", {"job": JOB}),
        low_traffic=Case(idle(5), 5),
        no_data=Case({}, 5, "0", {"job": JOB}),  # the only alert that fires without any data
    ),
    "InferencePodsNotReady/critical": of_state(
        5,
        deployment(5, wanted=2, ready=1, available=1),
        deployment(5, wanted=2, ready=1, available=0),
        "0",
        deployment=DEPLOYMENT,
    ),
    "InferencePodsNotReady/warning": of_state(
        15,
        deployment(15, wanted=3, ready=3, available=3),
        deployment(15, wanted=3, ready=2, available=2),
        "1",
        deployment=DEPLOYMENT,
    ),
    "InferencePodCrashLooping/warning": of_state(15, _restarts(2), _restarts(3), "3", pod=POD),
    "InferenceAutoscalerAtMaximum/warning": of_state(
        15, autoscaler(15, current=9), autoscaler(15, current=10), "10", horizontalpodautoscaler=DEPLOYMENT
    ),
    "InferenceCPUThrottling/warning": of_state(25, _throttled(25, 0.24), _throttled(25, 0.26), "26%", pod=POD),
    "InferenceMemoryNearLimit/warning": of_state(15, _memory(15, 0.89), _memory(15, 0.91), "91%", pod=POD),
    "InferenceQuotaNearlyUsed/warning": of_state(
        15, _quota(15, 900), _quota(15, 901), "90.1%", resourcequota="tenant-a", resource="limits.cpu"
    ),
    "InferenceModelDrift/warning/confidence": _drift("confidence", 0.81, 0.79, "0.16"),
    "InferenceModelDrift/warning/unknown_words_ratio": _drift("unknown_words_ratio", 0.29, 0.31, "0.21"),
    "InferenceModelDrift/warning/missing_values": _row_drift("missing", 0.118, 0.125, "10.5%"),
    "InferenceModelDrift/warning/out_of_range": _row_drift("out_of_range", 0.098, 0.105, "10.5%"),
    "InferenceModelDrift/warning/length_characters": _drift("length_characters", 510, 490, "4.08"),
    "InferenceModelDigestsDiffer/warning": of_state(
        30, digests(30, "aaaa", "aaaa", "aaaa"), digests(30, "aaaa", "aaaa", "bbbb"), "2"
    ),
}
