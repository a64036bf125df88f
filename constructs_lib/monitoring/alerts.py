"""The rule groups of a tenant's PrometheusRule: recorded objectives and every alert, as plain dictionaries.

Here are the alerts about scrapes, shedding and the model; objectives and workload have modules of their own. Names of
the service's metrics come from `inference.contract`. Imports no jsii.
"""

from collections.abc import Iterator
from typing import Final

from constructs_lib.monitoring.objectives import (
    LONG_WINDOWS,
    SERVED,
    SHORT_WINDOWS,
    burn_alerts,
    line_rules,
    recording_rules,
)
from constructs_lib.monitoring.promql import percent, selector
from constructs_lib.monitoring.scope import Rule, Scope, alert
from constructs_lib.monitoring.workload_alerts import pod_alerts, resource_alerts
from constructs_lib.platform.alerts import AlertSettings
from inference import contract

CONTAINER: Final = "inference"
"""The container's name in a tenant's pods."""
DRIFT_WINDOW: Final = "6h"


def rule_groups(tenant: str, service: str, deployment: str, hpa: str, settings: AlertSettings) -> list[Rule]:
    """`spec.groups` of a tenant's PrometheusRule.

    Args:
        tenant: the namespace.
        service: name of the Service that is scraped, which becomes the label `job`.
        deployment: name of the Deployment.
        hpa: name of the HorizontalPodAutoscaler.
        settings: objectives and thresholds.

    Returns:
        Groups in a fixed order; long windows are evaluated once a minute, the rest at Prometheus's own interval.
    """
    scope = Scope(
        tenant=tenant, service=service, deployment=deployment, hpa=hpa, container=CONTAINER, settings=settings
    )
    return [
        {"name": "inference-objectives", "rules": [*line_rules(scope), *recording_rules(scope, SHORT_WINDOWS)]},
        {
            "name": "inference-objectives-long",
            "interval": "1m",
            "rules": list(recording_rules(scope, LONG_WINDOWS)),
        },
        {"name": "inference-burn", "rules": list(burn_alerts(scope))},
        {"name": "inference-service", "rules": [*_scrape_alerts(scope), _shed(scope), _shed_page(scope)]},
        {"name": "inference-model", "rules": [*_drift_alerts(scope), _digests_differ(scope)]},
        {"name": "inference-workload", "rules": [*pod_alerts(scope), *resource_alerts(scope)]},
    ]


def _scrape_alerts(scope: Scope) -> Iterator[Rule]:
    up = selector("up", **scope.target)
    down = f"count by (namespace) ({up} == 0) / count by (namespace) ({up})"
    minutes = scope.settings.target_down_minutes
    yield alert(
        scope,
        "InferenceTargetDown",
        f"{down} == 1",
        severity="critical",
        for_=f"{minutes}m",
        summary=f"Prometheus reaches no pod of {scope.tenant}.",
        description="{{ $value | humanizePercentage }} of the scrape targets have been down for "
        f"{minutes} minutes; the threshold is 100 %.",
    )
    yield alert(
        scope,
        "InferenceTargetDown",
        f"{down} > 0",
        severity="warning",
        for_=f"{scope.settings.not_ready_minutes}m",
        summary=f"Prometheus does not reach some pods of {scope.tenant}.",
        description="{{ $value | humanizePercentage }} of the scrape targets have been down for "
        f"{scope.settings.not_ready_minutes} minutes; the threshold is 0 %.",
    )
    yield alert(
        scope,
        "InferenceMetricsAbsent",
        f"absent({selector(contract.REQUESTS, **scope.target)})",
        severity="critical",
        for_=f"{minutes}m",
        summary=f"There are no metrics of {scope.tenant} at all.",
        description=f"0 series of {contract.REQUESTS} for {minutes} minutes; the threshold is 1. No alert that is "
        "computed from the service's metrics can fire meanwhile.",
    )


def _shed_rule(scope: Scope, threshold: float, severity: str) -> Rule:
    served = {**scope.target, "route": SERVED}
    shed = selector(contract.REQUESTS, **served, outcome="shed")
    every = selector(contract.REQUESTS, **served)
    return alert(
        scope,
        "InferenceRequestsShed",
        f"sum by (namespace) (rate({shed}[5m])) / sum by (namespace) (rate({every}[5m])) > {threshold:g}\n"
        f"and\nsum by (namespace) (increase({shed}[5m])) >= {scope.settings.min_bad_requests}",
        severity=severity,
        for_="10m",
        summary=f"{scope.tenant} refuses requests to protect the others.",
        description="{{ $value | humanizePercentage }} of the requests of the last 5 minutes were answered 429; "
        f"the threshold is {percent(threshold)}.",
    )


def _shed(scope: Scope) -> Rule:
    return _shed_rule(scope, scope.settings.shed_ratio, "warning")


def _shed_page(scope: Scope) -> Rule:
    return _shed_rule(scope, scope.settings.shed_page_ratio, "critical")


def _drift_alerts(scope: Scope) -> Iterator[Rule]:
    """How far the mean of some hours lies from the hold-out's, a signal each; few predictions say nothing."""
    settings = scope.settings
    by = "by (namespace, model_version)"
    for signal, metric, threshold in (
        ("confidence", contract.CONFIDENCE, settings.drift_confidence),
        ("unknown_words_ratio", contract.UNKNOWN_WORDS, settings.drift_unknown_words),
        ("length_characters", contract.TEXT_LENGTH, settings.drift_length_factor),
    ):
        total = f"sum {by} (increase({selector(f'{metric}_sum', **scope.target)}[{DRIFT_WINDOW}]))"
        count = f"sum {by} (increase({selector(f'{metric}_count', **scope.target)}[{DRIFT_WINDOW}]))"
        mean = f"{total} / ({count} >= {settings.drift_min_predictions})"
        baseline = f"max {by} ({selector(contract.BASELINE, **scope.target, signal=signal)})"
        is_factor = signal == "length_characters"
        distance = f"exp(abs(ln({mean} / {baseline})))" if is_factor else f"abs({mean} - {baseline})"
        measured = '{{ printf "%.2f" $value }}'  # humanize would say 200m for 0.2
        what = f"a factor of {measured}" if is_factor else measured
        yield alert(
            scope,
            "InferenceModelDrift",
            f"{distance} > {threshold:g}",
            severity="warning",
            for_="30m",
            summary=f"The texts that {scope.tenant} receives differ from those its model was trained on ({signal}).",
            description=f"The mean {signal} of {DRIFT_WINDOW} lies {what} from the training hold-out's, for model "
            f"{{{{ $labels.model_version }}}}; the threshold is {threshold:g}.",
            labels={"signal": signal},
        )


def _digests_differ(scope: Scope) -> Rule:
    info = selector(contract.MODEL_INFO, **scope.target)
    minutes = scope.settings.digests_differ_minutes
    return alert(
        scope,
        "InferenceModelDigestsDiffer",
        f"count by (namespace) (count by (namespace, digest) ({info})) > 1",
        severity="warning",
        for_=f"{minutes}m",
        summary=f"The pods of {scope.tenant} serve different models.",
        description="{{ $value }} different model digests have been served side by side for "
        f"{minutes} minutes; the threshold is 1.",
    )
