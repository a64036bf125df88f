"""The dashboard's eight panels as plain data: queries, legends, units and descriptions.

Grafana's JSON, the page of `tenantry monitor`, the tests and the pictures in docs/monitoring.md are made from it. Names
of the service's metrics come from `inference.contract`, recorded series from the tenants' rules. `$tenant` and
`$model_version` are variables of the dashboard; `$__rate_interval` is Grafana's.
"""

from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.objectives import (
    BURN_RATES,
    FAILED,
    LATENCY_OBJECTIVE,
    PREDICTION_ROUTES,
)
from constructs_lib.monitoring.promql import bound, selector
from constructs_lib.monitoring.rules import CONTAINER
from constructs_lib.platform.alerts import AlertSettings
from inference import contract

TENANT: Final = "=~$tenant"
VERSION: Final = "=~$model_version"
INTERVAL: Final = "$__rate_interval"
DEFAULTS: Final = AlertSettings()


@dataclass(frozen=True)
class Query:
    """One PromQL query and how its series are drawn."""

    expr: str
    legend: str
    unit: str = ""
    """Grafana's unit, where it differs from the panel's. Such series are drawn on the right axis."""
    is_limit: bool = False
    """A limit or an objective: drawn as a dashed line."""


@dataclass(frozen=True)
class Panel:
    """A time series panel."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    runbook: tuple[str, ...]
    """Alerts whose sections of the runbook the panel links to."""
    thresholds: tuple[tuple[float, str], ...] = ()
    """Lower bounds, in the panel's unit, and the colour from there on; green below the first."""
    colors: tuple[tuple[str, str], ...] = ()
    """Regular expressions of legends, and the colour of the series that match."""
    stacked: bool = False
    logarithmic: bool = False


def filled(expression: str, *, tenant: str = ".+", model_version: str = ".+", rate_interval: str = "2m") -> str:
    """A panel's query with values in place of Grafana's variables, as Prometheus accepts it."""
    values = {"$tenant": tenant, "$model_version": model_version, INTERVAL: rate_interval}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def _own(metric: str, **labels: str) -> str:
    return selector(metric, namespace=TENANT, **labels)


def _rate(series: str, by: str) -> str:
    return f"sum by ({by}) (rate({series}[{INTERVAL}]))"


def _recorded(name: str) -> str:
    return selector(name, namespace=TENANT)


def _quantile(quantile: float) -> Query:
    buckets = _rate(_own(f"{contract.REQUEST_DURATION}_bucket", route=PREDICTION_ROUTES), "namespace, le")
    return Query(f"histogram_quantile({quantile}, {buckets})", f"{{{{namespace}}}} p{quantile * 100:.0f}")


def _mean(metric: str, by: str, **labels: str) -> str:
    """Mean observation; no sample (instead of NaN) where nothing was observed."""
    total, count = (_rate(_own(f"{metric}_{part}", **labels), by) for part in ("sum", "count"))
    return f"{total} / ({count} > 0)"


def _drift(metric: str, signal: str, name: str) -> Query:
    by = "namespace, model_version"
    baseline = f"max by ({by}) ({_own(contract.BASELINE, signal=signal, model_version=VERSION)})"
    mean = _mean(metric, by, model_version=VERSION)
    return Query(f"{mean} / {baseline}", f"{{{{namespace}}}} {name} {{{{model_version}}}}")


def _kube(metric: str, **labels: str) -> str:
    return f"sum by (namespace) ({selector(metric, namespace=TENANT, **labels)})"


def _low_confidence() -> str:
    by = "namespace, model_version"
    low = _own(f"{contract.CONFIDENCE}_bucket", le=bound(contract.LOW_CONFIDENCE), model_version=VERSION)
    every = _own(f"{contract.CONFIDENCE}_count", model_version=VERSION)
    return f"{_rate(low, by)} / ({_rate(every, by)} > 0)"


_REPLICAS = "kube_horizontalpodautoscaler"
_USED_CPU = f"sum by (namespace) (rate({_own('container_cpu_usage_seconds_total', container=CONTAINER)}[{INTERVAL}]))"
_THROTTLED, _PERIODS = (
    _rate(_own(f"container_cpu_cfs_{part}periods_total", container=CONTAINER), "namespace")
    for part in ("throttled_", "")
)

PANELS: Final = (
    Panel(
        title="Requests by outcome",
        description="Prediction requests per second by outcome: answered (ok), rejected as invalid (client_error, 4xx), failed "
        "(server_error, 5xx), and refused because too many were in progress (shed, 429).",
        unit="reqps",
        queries=(
            Query(
                _rate(_own(contract.REQUESTS, route=PREDICTION_ROUTES), "namespace, outcome"),
                "{{namespace}} {{outcome}}",
            ),
        ),
        runbook=("InferenceErrorBudgetBurn", "InferenceRequestsShed"),
        stacked=True,
        colors=((".+ ok", "green"), (".+ client_error", "blue"), (".+ server_error", "red"), (".+ shed", "orange")),
    ),
    Panel(
        title="Errors against the objective",
        description="Share of answered requests that failed with a 5xx, over 5 minutes; the dashed line is the "
        "tenant's error budget. Right axis: burn rate over 1 hour, a multiple of the rate that spends the budget in exactly 30 "
        f"days; {BURN_RATES[0].factor:g} pages.",
        unit="percentunit",
        queries=(
            Query(_recorded(f"namespace:{FAILED}:ratio_rate5m"), "{{namespace}} failed"),
            Query(_recorded(f"namespace:{FAILED}:budget"), "{{namespace}} budget", is_limit=True),
            Query(
                f"{_recorded(f'namespace:{FAILED}:ratio_rate1h')} / {_recorded(f'namespace:{FAILED}:budget')}",
                "{{namespace}} burn rate 1h",
                unit="suffix:x",
            ),
        ),
        runbook=("InferenceErrorBudgetBurn",),
        thresholds=(
            (round(1 - DEFAULTS.availability_objective, 6), "yellow"),
            (round(BURN_RATES[0].factor * (1 - DEFAULTS.availability_objective), 6), "red"),
        ),
    ),
    Panel(
        title="Latency against the objective",
        description="Time from a request's first byte to its response, as quantiles: 50 % of the requests take at most "
        "p50, 99 % at most p99. The dashed line is the latency objective. Shed requests are not included.",
        unit="s",
        queries=(
            _quantile(0.5),
            _quantile(0.95),
            _quantile(0.99),
            Query(_recorded(LATENCY_OBJECTIVE), "{{namespace}} objective", is_limit=True),
        ),
        runbook=("InferenceLatencyBudgetBurn",),
        thresholds=((DEFAULTS.latency_threshold_seconds / 2, "yellow"), (DEFAULTS.latency_threshold_seconds, "red")),
        logarithmic=True,
    ),
    Panel(
        title="Where the time goes",
        description="Mean time of a prediction in each phase: waiting to be processed (queue), reading the body "
        "(parse), scoring the text (predict).",
        unit="s",
        queries=(Query(_mean(contract.PHASE_DURATION, "namespace, phase"), "{{namespace}} {{phase}}"),),
        runbook=("InferenceLatencyBudgetBurn", "InferenceCPUThrottling"),
        thresholds=((DEFAULTS.latency_threshold_seconds / 2, "yellow"), (DEFAULTS.latency_threshold_seconds, "red")),
        stacked=True,
    ),
    Panel(
        title="In flight and shed",
        description="Requests accepted and not yet answered, summed over all pods. The dashed line is the limit above "
        "which requests are shed. Right axis: requests answered 429 per second, by reason.",
        unit="short",
        queries=(
            Query(f"sum by (namespace) ({_own(contract.IN_FLIGHT)})", "{{namespace}} in flight"),
            Query(f"sum by (namespace) ({_own(contract.IN_FLIGHT_LIMIT)})", "{{namespace}} limit", is_limit=True),
            Query(_rate(_own(contract.SHED), "namespace, reason"), "{{namespace}} 429 {{reason}}", unit="reqps"),
        ),
        runbook=("InferenceRequestsShed", "InferenceAutoscalerAtMaximum"),
        colors=((".+ limit", "red"), (".+ 429 .+", "orange")),
    ),
    Panel(
        title="Replicas and CPU",
        description="Current and desired pods of the autoscaler; the dashed line is its maximum. Right axis: CPU usage "
        "as a share of the CPU request, which the autoscaler compares with its target, and the share of CPU periods "
        "that were throttled.",
        unit="short",
        queries=(
            Query(_kube(f"{_REPLICAS}_status_current_replicas"), "{{namespace}} current"),
            Query(_kube(f"{_REPLICAS}_status_desired_replicas"), "{{namespace}} desired"),
            Query(_kube(f"{_REPLICAS}_spec_max_replicas"), "{{namespace}} maximum", is_limit=True),
            Query(
                f"{_USED_CPU} / {_kube('kube_pod_container_resource_requests', resource='cpu', container=CONTAINER)}",
                "{{namespace}} CPU of request",
                unit="percentunit",
            ),
            Query(f"{_THROTTLED} / ({_PERIODS} > 0)", "{{namespace}} throttled", unit="percentunit"),
        ),
        runbook=("InferenceAutoscalerAtMaximum", "InferenceCPUThrottling", "InferencePodsNotReady"),
        thresholds=((8, "yellow"), (10, "red")),
    ),
    Panel(
        title="Labels predicted",
        description="Predictions per second by label and model version. Right axis: share of predictions whose "
        f"confidence is at most {contract.LOW_CONFIDENCE:g}.",
        unit="cps",
        queries=(
            Query(
                _rate(_own(contract.PREDICTIONS, model_version=VERSION), "namespace, model_version, label"),
                "{{namespace}} {{label}} {{model_version}}",
            ),
            Query(_low_confidence(), "{{namespace}} low confidence {{model_version}}", unit="percentunit"),
        ),
        runbook=("InferenceModelDrift", "InferenceModelDigestsDiffer"),
        colors=((".+ low confidence .+", "orange"),),
    ),
    Panel(
        title="Drift from the training data",
        description="Mean confidence, share of unknown words and text length, each divided by its mean on the training "
        "hold-out. 1 (dashed) is the same as on the hold-out, 2 is twice as much.",
        unit="suffix:x",
        queries=(
            _drift(contract.CONFIDENCE, "confidence", "confidence"),
            _drift(contract.UNKNOWN_WORDS, "unknown_words_ratio", "unknown words"),
            _drift(contract.TEXT_LENGTH, "length_characters", "length"),
            Query("vector(1)", "as in training", is_limit=True),
        ),
        runbook=("InferenceModelDrift",),
        thresholds=((2, "yellow"), (DEFAULTS.drift_length_factor, "red")),
    ),
)
