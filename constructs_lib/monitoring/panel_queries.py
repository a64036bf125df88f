"""The PromQL of the dashboard's panels; `$tenant`, `$model_version` and `$__rate_interval` are Grafana's variables."""

from typing import Final

from constructs_lib.monitoring.objectives import PREDICTION_ROUTES
from constructs_lib.monitoring.promql import bound, selector
from constructs_lib.monitoring.rules import CONTAINER
from inference import contract

TENANT: Final = "=~$tenant"
VERSION: Final = "=~$model_version"
INTERVAL: Final = "$__rate_interval"
BY_TENANT: Final = "namespace"
BY_VERSION: Final = "namespace, model_version"
BY_FEATURE: Final = f"{BY_VERSION}, feature"
WORST_FEATURES: Final = 3
"""How many features of a model the panel about drift shows."""


def filled(expression: str, *, tenant: str = ".+", model_version: str = ".+", rate_interval: str = "2m") -> str:
    """A panel's query with values in place of Grafana's variables, as Prometheus accepts it."""
    values = {"$tenant": tenant, "$model_version": model_version, INTERVAL: rate_interval}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def of_tenant(metric: str, **labels: str) -> str:
    """The series of a metric that belong to the selected tenants."""
    return selector(metric, namespace=TENANT, **labels)


def rate(series: str, by: str = BY_TENANT) -> str:
    """Increase per second of a counter, summed by labels."""
    return f"sum by ({by}) (rate({series}[{INTERVAL}]))"


def total(metric: str, **labels: str) -> str:
    """A gauge, summed per tenant."""
    return f"sum by ({BY_TENANT}) ({of_tenant(metric, **labels)})"


def quantile(quantile: float) -> str:
    """A quantile of the duration of predictions."""
    buckets = rate(of_tenant(f"{contract.REQUEST_DURATION}_bucket", route=PREDICTION_ROUTES), "namespace, le")
    return f"histogram_quantile({quantile}, {buckets})"


def mean(metric: str, by: str, **labels: str) -> str:
    """Mean observation of a histogram; no sample (instead of NaN) where nothing was observed."""
    sums, counts = (rate(of_tenant(f"{metric}_{part}", **labels), by) for part in ("sum", "count"))
    return f"{sums} / ({counts} > 0)"


def relative_to_holdout(metric: str, signal: str) -> str:
    """Mean of a signal divided by its mean on the training hold-out."""
    baseline = of_tenant(contract.BASELINE, signal=signal, model_version=VERSION)
    return f"{mean(metric, BY_VERSION, model_version=VERSION)} / max by ({BY_VERSION}) ({baseline})"


def missing_values() -> str:
    """Difference between the share of rows in which a feature is missing and that of the training rows."""
    baseline = of_tenant(contract.FEATURE_BASELINE, model_version=VERSION)
    return _worst(f"abs({_share_of_rows(contract.FEATURE_MISSING)} - max by ({BY_FEATURE}) ({baseline}))")


def out_of_range() -> str:
    """Share of rows in which a feature is outside the range of the training rows."""
    return _worst(_share_of_rows(contract.FEATURE_OUT_OF_RANGE))


def _share_of_rows(metric: str) -> str:
    counted = rate(of_tenant(metric, model_version=VERSION), BY_FEATURE)
    rows = rate(of_tenant(contract.PREDICTIONS, model_version=VERSION), BY_VERSION)
    return f"{counted} / on ({BY_VERSION}) group_left () ({rows} > 0)"


def _worst(shares: str) -> str:
    """The features with the largest shares: a model has up to 256."""
    return f"topk by ({BY_VERSION}) ({WORST_FEATURES}, {shares})"


def low_confidence() -> str:
    """Share of predictions whose confidence is at most `contract.LOW_CONFIDENCE`."""
    low = of_tenant(f"{contract.CONFIDENCE}_bucket", le=bound(contract.LOW_CONFIDENCE), model_version=VERSION)
    every = of_tenant(f"{contract.CONFIDENCE}_count", model_version=VERSION)
    return f"{rate(low, BY_VERSION)} / ({rate(every, BY_VERSION)} > 0)"


def cpu_of_request() -> str:
    """CPU usage as a share of the CPU request."""
    used = rate(of_tenant("container_cpu_usage_seconds_total", container=CONTAINER))
    return f"{used} / {total('kube_pod_container_resource_requests', resource='cpu', container=CONTAINER)}"


def throttled() -> str:
    """Share of CPU periods that were throttled."""
    throttled_periods, periods = (
        rate(of_tenant(f"container_cpu_cfs_{kind}periods_total", container=CONTAINER)) for kind in ("throttled_", "")
    )
    return f"{throttled_periods} / ({periods} > 0)"
