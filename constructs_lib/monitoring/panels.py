"""The dashboard's eight panels as plain data: queries, legends, units, colours and descriptions.

Grafana's JSON, the page of `tenantry monitor`, the tests and the pictures in docs/monitoring.md are made from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring import panel_queries as promql
from constructs_lib.monitoring.objectives import BURN_RATES, FAILED, LATENCY_OBJECTIVE, PREDICTION_ROUTES
from constructs_lib.platform.alerts import AlertSettings
from inference import contract

TENANT_COLORS: Final = ("#3274d9", "#e0822d", "#37a862", "#c4589b", "#5cb8d6", "#d64545", "#8a6cd1", "#a08030")
"""Colours of tenants in the order of `platform.yaml`; they repeat after the last one."""
_DEFAULTS: Final = AlertSettings()
_HPA: Final = "kube_horizontalpodautoscaler"


@dataclass(frozen=True)
class Query:
    """One PromQL query and how its series are drawn.

    A series is a line on the left axis. It is dashed if it is a limit or an objective. Series with a unit of their own
    are drawn as points on the right axis, so that nobody compares them with a line of the left axis.
    """

    expr: str
    legend: str
    """The legend; it starts with the tenant's name."""
    right_unit: str = ""
    """Grafana's unit of the right axis; empty: the left axis, with the panel's unit."""
    right_max: float = 0
    """The right axis reaches at least this value, so that small values do not reach up to a limit of the left axis."""
    is_limit: bool = False


@dataclass(frozen=True)
class Panel:
    """A time series panel."""

    title: str
    description: str
    unit: str
    """Grafana's unit of the left axis."""
    queries: tuple[Query, ...]
    runbook: tuple[str, ...]
    """Alerts whose sections of the runbook the panel links to."""
    thresholds: tuple[tuple[float, str], ...] = ()
    """Lower bounds, in the panel's unit, and the colour from there on; green below the first."""
    colors: tuple[tuple[str, str], ...] = ()
    """Ends of legends, and the colour of the series with that end, whatever the tenant."""
    colored_by_tenant: bool = False
    """Whether all series of a tenant have the tenant's colour."""
    stacked: bool = False
    logarithmic: bool = False


def tenant_color(tenant: str, tenants: Sequence[str]) -> str:
    """The colour of a tenant on panels that are coloured by tenant."""
    return TENANT_COLORS[tenants.index(tenant) % len(TENANT_COLORS)]


PANELS: Final = (
    Panel(
        title="Requests by outcome",
        description="Prediction requests per second by outcome: answered (ok), invalid (client_error, 4xx), failed "
        "(server_error, 5xx), and refused because too many were in progress (shed, 429).",
        unit="reqps",
        queries=(
            Query(
                promql.rate(promql.of_tenant(contract.REQUESTS, route=PREDICTION_ROUTES), "namespace, outcome"),
                "{{namespace}} {{outcome}}",
            ),
        ),
        runbook=("InferenceErrorBudgetBurn", "InferenceRequestsShed"),
        stacked=True,
        colors=(("ok", "green"), ("client_error", "blue"), ("server_error", "red"), ("shed", "orange")),
    ),
    Panel(
        title="Errors against the objective",
        description="Share of answered requests that failed with a 5xx, over 5 minutes; the dashed line is the "
        "tenant's error budget. Points, right axis: burn rate over 1 hour, a multiple of the rate that spends the "
        f"budget in exactly 30 days; {BURN_RATES[0].factor:g} pages.",
        unit="percentunit",
        queries=(
            Query(promql.of_tenant(f"namespace:{FAILED}:ratio_rate5m"), "{{namespace}} failed"),
            Query(promql.of_tenant(f"namespace:{FAILED}:budget"), "{{namespace}} budget", is_limit=True),
            Query(
                f"{promql.of_tenant(f'namespace:{FAILED}:ratio_rate1h')}"
                f" / {promql.of_tenant(f'namespace:{FAILED}:budget')}",
                "{{namespace}} burn rate 1h",
                right_unit="suffix:x",
                right_max=20,
            ),
        ),
        runbook=("InferenceErrorBudgetBurn",),
        thresholds=(
            (round(1 - _DEFAULTS.availability_objective, 6), "yellow"),
            (round(BURN_RATES[0].factor * (1 - _DEFAULTS.availability_objective), 6), "red"),
        ),
        colored_by_tenant=True,
    ),
    Panel(
        title="Latency against the objective",
        description="Time from a request's first byte to its response, as quantiles: 50 % of the requests take at most "
        "p50, 99 % at most p99. The dashed line is the latency objective. Shed requests are not included.",
        unit="s",
        queries=(
            *(Query(promql.quantile(share), f"{{{{namespace}}}} p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)),
            Query(promql.of_tenant(LATENCY_OBJECTIVE), "{{namespace}} objective", is_limit=True),
        ),
        runbook=("InferenceLatencyBudgetBurn",),
        thresholds=((_DEFAULTS.latency_threshold_seconds / 2, "yellow"), (_DEFAULTS.latency_threshold_seconds, "red")),
        logarithmic=True,
    ),
    Panel(
        title="Where the time goes",
        description="Mean time of a prediction in each phase: waiting to be processed (queue), reading the body "
        "(parse), scoring the text (predict).",
        unit="s",
        queries=(Query(promql.mean(contract.PHASE_DURATION, "namespace, phase"), "{{namespace}} {{phase}}"),),
        runbook=("InferenceLatencyBudgetBurn", "InferenceCPUThrottling"),
        thresholds=((_DEFAULTS.latency_threshold_seconds / 2, "yellow"), (_DEFAULTS.latency_threshold_seconds, "red")),
        stacked=True,
    ),
    Panel(
        title="In flight and shed",
        description="Requests accepted and not yet answered, summed over all pods. The dashed line is the limit above "
        "which requests are shed. Points, right axis: requests answered 429 per second, by reason.",
        unit="short",
        queries=(
            Query(promql.total(contract.IN_FLIGHT), "{{namespace}} in flight"),
            Query(promql.total(contract.IN_FLIGHT_LIMIT), "{{namespace}} limit", is_limit=True),
            Query(
                promql.rate(promql.of_tenant(contract.SHED), "namespace, reason"),
                "{{namespace}} 429 {{reason}}",
                right_unit="reqps",
                right_max=10,
            ),
        ),
        runbook=("InferenceRequestsShed", "InferenceAutoscalerAtMaximum"),
        colored_by_tenant=True,
    ),
    Panel(
        title="Replicas and CPU",
        description="Current and desired pods of the autoscaler; the dashed line is its maximum. Points, right axis: "
        "CPU usage as a share of the CPU request, which the autoscaler compares with its target, and the share of CPU "
        "periods that were throttled.",
        unit="short",
        queries=(
            Query(promql.total(f"{_HPA}_status_current_replicas"), "{{namespace}} current"),
            Query(promql.total(f"{_HPA}_status_desired_replicas"), "{{namespace}} desired"),
            Query(promql.total(f"{_HPA}_spec_max_replicas"), "{{namespace}} maximum", is_limit=True),
            Query(promql.cpu_of_request(), "{{namespace}} CPU of request", right_unit="percentunit"),
            Query(promql.throttled(), "{{namespace}} throttled", right_unit="percentunit"),
        ),
        runbook=("InferenceAutoscalerAtMaximum", "InferenceCPUThrottling", "InferencePodsNotReady"),
        thresholds=((8, "yellow"), (10, "red")),
    ),
    Panel(
        title="Labels predicted",
        description="Predictions per second by label and model version. Points, right axis: share of predictions "
        f"whose confidence is at most {contract.LOW_CONFIDENCE:g}.",
        unit="cps",
        queries=(
            Query(
                promql.rate(
                    promql.of_tenant(contract.PREDICTIONS, model_version=promql.VERSION),
                    "namespace, model_version, label",
                ),
                "{{namespace}} {{label}} {{model_version}}",
            ),
            Query(promql.low_confidence(), "{{namespace}} low confidence {{model_version}}", right_unit="percentunit"),
        ),
        runbook=("InferenceModelDrift", "InferenceModelDigestsDiffer"),
    ),
    Panel(
        title="Drift from the training data",
        description="Mean confidence, share of unknown words and text length, each divided by its mean on the training "
        "hold-out. 1 (dashed) is the same as on the hold-out, 2 is twice as much. Points, right axis: the "
        f"{promql.WORST_FEATURES} features of an ONNX model whose share of missing values differs most from the "
        "training rows, and those with the largest share of values outside their range.",
        unit="suffix:x",
        queries=(
            *(
                Query(promql.relative_to_holdout(metric, signal), f"{{{{namespace}}}} {text} {{{{model_version}}}}")
                for metric, signal, text in (
                    (contract.CONFIDENCE, "confidence", "confidence"),
                    (contract.UNKNOWN_WORDS, "unknown_words_ratio", "unknown words"),
                    (contract.TEXT_LENGTH, "length_characters", "length"),
                )
            ),
            Query("vector(1)", "as on the hold-out", is_limit=True),
            Query(
                promql.missing_values(),
                "{{namespace}} {{feature}} missing {{model_version}}",
                right_unit="percentunit",
                right_max=1,
            ),
            Query(
                promql.out_of_range(),
                "{{namespace}} {{feature}} out of range {{model_version}}",
                right_unit="percentunit",
                right_max=1,
            ),
        ),
        runbook=("InferenceModelDrift",),
        thresholds=((2, "yellow"), (_DEFAULTS.drift_length_factor, "red")),
    ),
)
