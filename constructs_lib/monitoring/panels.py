"""What the dashboard asks and says, panel by panel, as plain data.

Grafana's JSON, the tests and the pictures in docs/monitoring.md are made from it. Own metrics come from
`inference.contract`, recorded series from the tenants' own rules; `$tenant` and `$model_version` are the dashboard's
variables, `$__rate_interval` is Grafana's.
"""

from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.alerts import CONTAINER
from constructs_lib.monitoring.objectives import BURNS, FAILED, LATENCY_LINE, SERVED
from constructs_lib.monitoring.promql import bound, selector
from constructs_lib.platform.alerts import AlertSettings
from inference import contract

TENANT: Final = "=~$tenant"
VERSION: Final = "=~$model_version"
INTERVAL: Final = "$__rate_interval"
DEFAULTS: Final = AlertSettings()


@dataclass(frozen=True)
class Query:
    """One PromQL query and how its series look."""

    expr: str
    legend: str
    unit: str = ""
    """Grafana's unit where it differs from the panel's: such series go to the right-hand axis."""
    is_line: bool = False
    """A limit or an objective: drawn dashed."""


@dataclass(frozen=True)
class Panel:
    """One of the eight."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    runbook: tuple[str, ...]
    """Alerts whose sections of the runbook say what to do."""
    thresholds: tuple[tuple[float, str], ...] = ()
    """From which value on, in the panel's unit, a series is of that colour; green below."""
    colors: tuple[tuple[str, str], ...] = ()
    """Colours of series whose legend matches a regular expression."""
    stacked: bool = False
    logarithmic: bool = False


def filled(expression: str, *, tenant: str = ".+", model_version: str = ".+", rate_interval: str = "2m") -> str:
    """A panel's query with values in place of Grafana's variables, as Prometheus takes it."""
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
    buckets = _rate(_own(f"{contract.REQUEST_DURATION}_bucket", route=SERVED), "namespace, le")
    return Query(f"histogram_quantile({quantile}, {buckets})", f"{{{{namespace}}}} p{quantile * 100:.0f}")


def _mean(metric: str, by: str, **labels: str) -> str:
    """Mean observation; nothing where nothing was observed."""
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
        description="Predictions asked for, per second: answered, refused as wrong (4xx), failed (5xx), and shed (429) "
        "to protect the others.",
        unit="reqps",
        queries=(
            Query(_rate(_own(contract.REQUESTS, route=SERVED), "namespace, outcome"), "{{namespace}} {{outcome}}"),
        ),
        runbook=("InferenceErrorBudgetBurn", "InferenceRequestsShed"),
        stacked=True,
        colors=((".+ ok", "green"), (".+ client_error", "blue"), (".+ server_error", "red"), (".+ shed", "orange")),
    ),
    Panel(
        title="Errors against the objective",
        description="Share of answered requests that failed with a 5xx, over 5 minutes, with the tenant's budget as a "
        "dashed line. Right: how many times faster than it lasts the month's budget goes (1 is just in time; "
        f"{BURNS[0].factor:g} over an hour pages).",
        unit="percentunit",
        queries=(
            Query(_recorded(f"namespace:{FAILED}:ratio_rate5m"), "{{namespace}} failed"),
            Query(_recorded(f"namespace:{FAILED}:budget"), "{{namespace}} budget", is_line=True),
            Query(
                f"{_recorded(f'namespace:{FAILED}:ratio_rate1h')} / {_recorded(f'namespace:{FAILED}:budget')}",
                "{{namespace}} burn rate 1h",
                unit="suffix:x",
            ),
        ),
        runbook=("InferenceErrorBudgetBurn",),
        thresholds=(
            (round(1 - DEFAULTS.availability_objective, 6), "yellow"),
            (round(BURNS[0].factor * (1 - DEFAULTS.availability_objective), 6), "red"),
        ),
    ),
    Panel(
        title="Latency against the objective",
        description="Time from a request's first byte to its answer: half of the requests take at most p50, all but "
        "one in a hundred at most p99; the dashed line is what the objective allows. Shed requests are not in it.",
        unit="s",
        queries=(
            _quantile(0.5),
            _quantile(0.95),
            _quantile(0.99),
            Query(_recorded(LATENCY_LINE), "{{namespace}} objective", is_line=True),
        ),
        runbook=("InferenceLatencyBudgetBurn",),
        thresholds=((DEFAULTS.latency_threshold_seconds / 2, "yellow"), (DEFAULTS.latency_threshold_seconds, "red")),
        logarithmic=True,
    ),
    Panel(
        title="Where the time goes",
        description="Mean time of a prediction in each phase: waiting for its turn, reading the body, scoring.",
        unit="s",
        queries=(Query(_mean(contract.PHASE_DURATION, "namespace, phase"), "{{namespace}} {{phase}}"),),
        runbook=("InferenceLatencyBudgetBurn", "InferenceCPUThrottling"),
        thresholds=((DEFAULTS.latency_threshold_seconds / 2, "yellow"), (DEFAULTS.latency_threshold_seconds, "red")),
        stacked=True,
    ),
    Panel(
        title="In flight and shed",
        description="Requests accepted and not yet answered, of all pods, with the limit above which they are shed as "
        "a dashed line. Right: requests answered 429 per second, by reason.",
        unit="short",
        queries=(
            Query(f"sum by (namespace) ({_own(contract.IN_FLIGHT)})", "{{namespace}} in flight"),
            Query(f"sum by (namespace) ({_own(contract.IN_FLIGHT_LIMIT)})", "{{namespace}} limit", is_line=True),
            Query(_rate(_own(contract.SHED), "namespace, reason"), "{{namespace}} 429 {{reason}}", unit="reqps"),
        ),
        runbook=("InferenceRequestsShed", "InferenceAutoscalerAtMaximum"),
        colors=((".+ limit", "red"), (".+ 429 .+", "orange")),
    ),
    Panel(
        title="Replicas and CPU",
        description="Pods that run, that the autoscaler wants, and its maximum (dashed). Right: CPU used as a share of "
        "what was requested (the autoscaler's target is a share of the same), and share of CPU periods throttled.",
        unit="short",
        queries=(
            Query(_kube(f"{_REPLICAS}_status_current_replicas"), "{{namespace}} current"),
            Query(_kube(f"{_REPLICAS}_status_desired_replicas"), "{{namespace}} desired"),
            Query(_kube(f"{_REPLICAS}_spec_max_replicas"), "{{namespace}} maximum", is_line=True),
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
        description="Predictions per second by label and model version. Right: share of predictions whose confidence "
        f"is at most {contract.LOW_CONFIDENCE:g}.",
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
        description="Mean confidence, share of unknown words and length of the texts, each divided by its mean on the "
        "training hold-out: 1 (dashed) is as in training, 2 is twice as much.",
        unit="suffix:x",
        queries=(
            _drift(contract.CONFIDENCE, "confidence", "confidence"),
            _drift(contract.UNKNOWN_WORDS, "unknown_words_ratio", "unknown words"),
            _drift(contract.TEXT_LENGTH, "length_characters", "length"),
            Query("vector(1)", "as in training", is_line=True),
        ),
        runbook=("InferenceModelDrift",),
        thresholds=((2, "yellow"), (DEFAULTS.drift_length_factor, "red")),
    ),
)
