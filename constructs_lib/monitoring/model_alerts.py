"""Alerts about the model: what it receives differs from its training data, or pods serve different models."""

from collections.abc import Iterator
from typing import Final

from constructs_lib.monitoring.promql import percent, selector
from constructs_lib.monitoring.rule import MonitoredTenant, Rule, alert
from inference import contract

DRIFT_WINDOW: Final = "6h"


def model_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Requests unlike the training data, and pods that serve different models."""
    yield from _row_drifts(tenant) if tenant.runtime == "onnx" else _text_drifts(tenant)
    yield _digests_differ(tenant)


def _text_drifts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Texts whose means differ from those of the hold-out."""
    for signal, metric, threshold in (
        ("confidence", contract.CONFIDENCE, tenant.settings.drift_confidence),
        ("unknown_words_ratio", contract.UNKNOWN_WORDS, tenant.settings.drift_unknown_words),
        ("length_characters", contract.TEXT_LENGTH, tenant.settings.drift_length_factor),
    ):
        yield _text_drift(tenant, signal, metric, threshold)


def _row_drifts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Features of which more values are missing, or outside the training rows' range, than in the training rows."""
    by = "by (namespace, model_version, feature)"
    baseline = f"max {by} ({selector(contract.FEATURE_BASELINE, **tenant.service_labels)})"
    missing = f"abs({_share_of_rows(tenant, contract.FEATURE_MISSING)} - {baseline})"
    yield _row_drift(
        tenant,
        "missing_values",
        f"{missing} > {tenant.settings.drift_missing_values:g}",
        "in which {{ $labels.feature }} is missing differs by {{ $value | humanizePercentage }} from that of the "
        f"training rows; the threshold is {percent(tenant.settings.drift_missing_values)}",
    )
    yield _row_drift(
        tenant,
        "out_of_range",
        f"{_share_of_rows(tenant, contract.FEATURE_OUT_OF_RANGE)} > {tenant.settings.drift_out_of_range:g}",
        "in which {{ $labels.feature }} is outside the range of the training rows is "
        f"{{{{ $value | humanizePercentage }}}}; the threshold is {percent(tenant.settings.drift_out_of_range)}",
    )


def _share_of_rows(tenant: MonitoredTenant, metric: str) -> str:
    """Share of the rows of some hours that a counter per feature has counted, given enough rows."""
    counted = f"increase({selector(metric, **tenant.service_labels)}[{DRIFT_WINDOW}])"
    rows = f"increase({selector(contract.PREDICTIONS, **tenant.service_labels)}[{DRIFT_WINDOW}])"
    return (
        f"sum by (namespace, model_version, feature) ({counted}) / on (namespace, model_version) group_left () "
        f"(sum by (namespace, model_version) ({rows}) >= {tenant.settings.drift_min_predictions})"
    )


def _row_drift(tenant: MonitoredTenant, signal: str, expression: str, finding: str) -> Rule:
    return alert(
        tenant,
        "InferenceModelDrift",
        expression,
        severity="warning",
        for_="30m",
        summary=f"The records that {tenant.name} receives differ from those its model was trained on ({signal}).",
        description="For model version {{ $labels.model_version }}, the share of rows over "
        f"{DRIFT_WINDOW} {finding}.",
        labels={"signal": signal},
    )


def _text_drift(tenant: MonitoredTenant, signal: str, metric: str, threshold: float) -> Rule:
    """Distance between a signal's mean over some hours and its mean on the hold-out, given enough predictions."""
    by = "by (namespace, model_version)"
    total = f"sum {by} (increase({selector(f'{metric}_sum', **tenant.service_labels)}[{DRIFT_WINDOW}]))"
    count = f"sum {by} (increase({selector(f'{metric}_count', **tenant.service_labels)}[{DRIFT_WINDOW}]))"
    mean = f"{total} / ({count} >= {tenant.settings.drift_min_predictions})"
    baseline = f"max {by} ({selector(contract.BASELINE, **tenant.service_labels, signal=signal)})"
    is_factor = signal == "length_characters"
    distance = f"exp(abs(ln({mean} / {baseline})))" if is_factor else f"abs({mean} - {baseline})"
    value = '{{ printf "%.2f" $value }}'  # humanize would print 200m for 0.2
    measured = f"a factor of {value}" if is_factor else value
    return alert(
        tenant,
        "InferenceModelDrift",
        f"{distance} > {threshold:g}",
        severity="warning",
        for_="30m",
        summary=f"The texts that {tenant.name} receives differ from those its model was trained on ({signal}).",
        description=f"The mean {signal} over {DRIFT_WINDOW} differs by {measured} from its mean on the training "
        f"hold-out, for model version {{{{ $labels.model_version }}}}; the threshold is {threshold:g}.",
        labels={"signal": signal},
    )


def _digests_differ(tenant: MonitoredTenant) -> Rule:
    info = selector(contract.MODEL_INFO, **tenant.service_labels)
    minutes = tenant.settings.digests_differ_minutes
    return alert(
        tenant,
        "InferenceModelDigestsDiffer",
        f"count by (namespace) (count by (namespace, digest) ({info})) > 1",
        severity="warning",
        for_=f"{minutes}m",
        summary=f"The pods of {tenant.name} serve different models.",
        description="{{ $value }} different model digests have been served at the same time for "
        f"{minutes} minutes; the threshold is 1.",
    )
