"""Series in promtool's notation: what a tenant's pods, the kubelet and kube-state-metrics expose."""

from inference import contract

TENANT = "tenant-a"
JOB = "tenant-a-ml-inference-svc"
DEPLOYMENT = "tenant-a-ml-inference"
POD = "tenant-a-ml-inference-7d9-abcde"
OTHER_POD = "tenant-a-ml-inference-7d9-fghij"
DAY = 24 * 60
"""Minutes, like all times here: promtool's interval is one minute."""

Series = dict[str, str]
"""Values in promtool's notation, by series: `0+5x60` is 0, then 5 more per minute, 60 times."""


def name(metric: str, **labels: str) -> str:
    return metric + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def own(metric: str, *, pod: str = POD, **labels: str) -> str:
    """A series of the service, with the labels that Prometheus adds from the target."""
    return name(metric, namespace=TENANT, job=JOB, service=JOB, pod=pod, instance=f"{pod}:8000", **labels)


def kube(metric: str, **labels: str) -> str:
    """A series of kube-state-metrics: its own job and instance, and the namespace of the object."""
    job = {"job": "kube-state-metrics", "instance": "10.244.1.5:8080"}
    return name(metric, namespace=TENANT, **job, **labels)


def cadvisor(metric: str, *, pod: str = POD, container: str = "inference", **labels: str) -> str:
    """A series of cAdvisor (in the kubelet) about one container."""
    target = {"job": "kubelet", "metrics_path": "/metrics/cadvisor", "node": "worker"}
    return name(metric, namespace=TENANT, pod=pod, container=container, **target, **labels)


def counter(per_minute: float, minutes: int) -> str:
    return f"0+{per_minute:g}x{minutes}"


def flat(value: float, minutes: int) -> str:
    return f"{value:g}+0x{minutes}"


def requests(
    minutes: int,
    *,
    ok: float = 0,
    client_error: float = 0,
    server_error: float = 0,
    shed: float = 0,
    rate_limited: float = 0,
) -> Series:
    """Prediction requests per minute by outcome; probes and scrapes have the route `other` and always succeed.

    Args:
        minutes: Length of the series.
        ok: Answered.
        client_error: Answered 4xx.
        server_error: Answered 5xx.
        shed: Shed because of load.
        rate_limited: Shed because they are above the limit of their caller.
    """
    rates = {"ok": ok, "client_error": client_error, "server_error": server_error, "shed": shed + rate_limited}
    reasons = {"in_flight": shed, "draining": 0, "rate_limit": rate_limited}
    series = {
        own(contract.REQUESTS, route="predict", outcome=outcome): counter(rate, minutes)
        for outcome, rate in rates.items()
    }
    series |= {own(contract.SHED, reason=reason): counter(rate, minutes) for reason, rate in reasons.items()}
    return series | {own(contract.REQUESTS, route="other", outcome="ok"): counter(100_000, minutes)}


def latencies(minutes: int, *, fast: float, slow: float) -> Series:
    """Answered requests per minute that took at most 0.25 s (fast) or longer (slow)."""

    def bucket(bound: str) -> str:
        return own(f"{contract.REQUEST_DURATION}_bucket", route="predict", le=bound)

    return {
        bucket("0.1"): counter(0, minutes),
        bucket("0.25"): counter(fast, minutes),
        bucket("2.5"): counter(fast + slow, minutes),
        bucket("+Inf"): counter(fast + slow, minutes),
        own(f"{contract.REQUEST_DURATION}_count", route="predict"): counter(fast + slow, minutes),
        own(f"{contract.REQUEST_DURATION}_bucket", route="other", le="0.25"): counter(100_000, minutes),
        own(f"{contract.REQUEST_DURATION}_count", route="other"): counter(100_000, minutes),
    }


def idle(minutes: int) -> Series:
    """A healthy tenant without any prediction request."""
    return (
        {own("up"): flat(1, minutes)}
        | requests(minutes)
        | latencies(minutes, fast=0, slow=0)
        | {own(contract.MODEL_INFO, model="spam", model_version="aaaa", digest="aaaa"): flat(1, minutes)}
        | drift(minutes, per_minute=0)
        | deployment(minutes, wanted=2, ready=2, available=2)
        | autoscaler(minutes, current=2)
    )


_SUMS = {"confidence": contract.CONFIDENCE, "unknown_words_ratio": contract.UNKNOWN_WORDS,
         "length_characters": contract.TEXT_LENGTH}  # fmt: skip
_BASELINES = {"confidence": 0.95, "unknown_words_ratio": 0.1, "length_characters": 2000}


def drift(minutes: int, *, per_minute: float, **means: float) -> Series:
    """Predictions per minute with these means; other signals have their mean on the hold-out."""
    series: Series = {}
    for signal, metric in _SUMS.items():
        mean = means.get(signal, _BASELINES[signal])
        series[own(f"{metric}_sum", model_version="aaaa")] = counter(per_minute * mean, minutes)
        series[own(f"{metric}_count", model_version="aaaa")] = counter(per_minute, minutes)
        series[own(contract.BASELINE, model_version="aaaa", signal=signal)] = flat(_BASELINES[signal], minutes)
    return series


def rows(minutes: int, *, per_minute: float, missing: float = 0.02, out_of_range: float = 0) -> Series:
    """Rows per minute, with shares of missing and unusual values of `age`; 2 % are missing in the training rows.

    The other feature of the model is always as in the training rows.
    """
    series = {
        own(contract.PREDICTIONS, model_version="aaaa", label=label): counter(per_minute / 2, minutes)
        for label in ("no", "yes")
    }
    for feature, lacking, unusual in (("age", missing, out_of_range), ("city", 0.5, 0)):
        labels = {"model_version": "aaaa", "feature": feature}
        series[own(contract.FEATURE_MISSING, **labels)] = counter(per_minute * lacking, minutes)
        series[own(contract.FEATURE_OUT_OF_RANGE, **labels)] = counter(per_minute * unusual, minutes)
        series[own(contract.FEATURE_BASELINE, **labels)] = flat(0.02 if feature == "age" else 0.5, minutes)
    return series


def digests(minutes: int, *pods_digests: str) -> Series:
    """One pod per digest."""
    return {
        own(contract.MODEL_INFO, pod=f"{POD}{number}", model="spam", model_version=digest[:4], digest=digest): flat(
            1, minutes
        )
        for number, digest in enumerate(pods_digests)
    }


def deployment(minutes: int, *, wanted: int, ready: int, available: int) -> Series:
    return {
        kube("kube_deployment_spec_replicas", deployment=DEPLOYMENT): flat(wanted, minutes),
        kube("kube_deployment_status_replicas_ready", deployment=DEPLOYMENT): flat(ready, minutes),
        kube("kube_deployment_status_replicas_available", deployment=DEPLOYMENT): flat(available, minutes),
    }


def autoscaler(minutes: int, *, current: int, minimum: int = 2, maximum: int = 10) -> Series:
    def hpa(metric: str) -> str:
        return kube(f"kube_horizontalpodautoscaler_{metric}", horizontalpodautoscaler=DEPLOYMENT)

    return {
        hpa("status_current_replicas"): flat(current, minutes),
        hpa("spec_max_replicas"): flat(maximum, minutes),
        hpa("spec_min_replicas"): flat(minimum, minutes),
    }
