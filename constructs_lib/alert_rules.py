"""The rule groups of a tenant's PrometheusRule: recorded objectives and every alert, as plain dictionaries.

Names of the service's metrics come from `inference.contract`; those of kube-state-metrics and cAdvisor are their own
documented ones. Imports no jsii.
"""

from collections.abc import Iterator
from typing import Final

from constructs_lib.alert_scope import Rule, Scope, alert
from constructs_lib.alert_settings import AlertSettings
from constructs_lib.promql import percent, selector
from constructs_lib.slo_rules import LONG_WINDOWS, SERVED, SHORT_WINDOWS, burn_alerts, line_rules, recording_rules
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
        {"name": "inference-workload", "rules": [*_pod_alerts(scope), *_resource_alerts(scope)]},
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


def _pod_alerts(scope: Scope) -> Iterator[Rule]:
    settings = scope.settings
    of_deployment = {"namespace": scope.tenant, "deployment": scope.deployment}

    def replicas(kind: str) -> str:
        return f"max by (namespace, deployment) ({selector(f'kube_deployment_{kind}', **of_deployment)})"

    yield alert(
        scope,
        "InferencePodsNotReady",
        f"{replicas('status_replicas_available')} < 1\nand\n{replicas('spec_replicas')} > 0",
        severity="critical",
        for_=f"{settings.unavailable_minutes}m",
        summary=f"No pod of {scope.tenant} is available.",
        description="{{ $value }} pods have been available for "
        f"{settings.unavailable_minutes} minutes; the threshold is 1.",
    )
    yield alert(
        scope,
        "InferencePodsNotReady",
        f"{replicas('spec_replicas')} - {replicas('status_replicas_ready')} > 0",
        severity="warning",
        for_=f"{settings.not_ready_minutes}m",
        summary=f"Some wanted pods of {scope.tenant} are not ready.",
        description="{{ $value }} of the wanted pods have not been ready for "
        f"{settings.not_ready_minutes} minutes; the threshold is 0.",
    )
    restarts = selector("kube_pod_container_status_restarts_total", **scope.inside)
    yield alert(
        scope,
        "InferencePodCrashLooping",
        f"sum by (namespace, pod) (increase({restarts}[30m])) >= {settings.restarts}",
        severity="warning",
        for_="1m",
        summary=f"A pod of {scope.tenant} starts again and again.",
        description='{{ $labels.pod }} was restarted {{ printf "%.0f" $value }} times within 30 minutes; '
        f"the threshold is {settings.restarts}.",
    )


def _resource_alerts(scope: Scope) -> Iterator[Rule]:
    yield _at_maximum(scope)
    settings = scope.settings
    by = "by (namespace, pod)"
    throttled = selector("container_cpu_cfs_throttled_periods_total", **scope.inside)
    periods = selector("container_cpu_cfs_periods_total", **scope.inside)
    yield alert(
        scope,
        "InferenceCPUThrottling",
        f"sum {by} (rate({throttled}[5m])) / sum {by} (rate({periods}[5m])) > {settings.cpu_throttling_ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"A pod of {scope.tenant} wants more CPU than its limit gives.",
        description="{{ $labels.pod }} was throttled in {{ $value | humanizePercentage }} of its CPU periods "
        f"for 15 minutes; the threshold is {percent(settings.cpu_throttling_ratio)}.",
    )
    used = selector("container_memory_working_set_bytes", **scope.inside)
    limit = selector("container_spec_memory_limit_bytes", **scope.inside)
    yield alert(
        scope,
        "InferenceMemoryNearLimit",
        f"max {by} ({used}) / (max {by} ({limit}) > 0) > {settings.memory_ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"A pod of {scope.tenant} is about to run out of memory.",
        description="{{ $labels.pod }} has used {{ $value | humanizePercentage }} of its memory limit "
        f"for 15 minutes; the threshold is {percent(settings.memory_ratio)}.",
    )
    yield _quota(scope)


def _at_maximum(scope: Scope) -> Rule:
    minutes = scope.settings.autoscaler_at_maximum_minutes

    def hpa(kind: str) -> str:
        series = selector(
            f"kube_horizontalpodautoscaler_{kind}", namespace=scope.tenant, horizontalpodautoscaler=scope.hpa
        )
        return f"max by (namespace, horizontalpodautoscaler) ({series})"

    return alert(
        scope,
        "InferenceAutoscalerAtMaximum",
        f"{hpa('status_current_replicas')} >= {hpa('spec_max_replicas')}\n"
        f"and\n{hpa('spec_max_replicas')} > {hpa('spec_min_replicas')}",
        severity="warning",
        for_=f"{minutes}m",
        summary=f"{scope.tenant} cannot scale further.",
        description="{{ $labels.horizontalpodautoscaler }} has had {{ $value }} replicas, its maximum, for "
        f"{minutes} minutes; the threshold is that maximum.",
    )


def _quota(scope: Scope) -> Rule:
    ratio = scope.settings.quota_ratio

    def quota(kind: str) -> str:
        return f"max by (namespace, resourcequota, resource) ({selector('kube_resourcequota', **kind_of(kind))})"

    def kind_of(kind: str) -> dict[str, str]:
        return {"namespace": scope.tenant, "type": kind}

    return alert(
        scope,
        "InferenceQuotaNearlyUsed",
        f"{quota('used')} / ({quota('hard')} > 0) > {ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"{scope.tenant} has nearly used up its quota.",
        description="{{ $value | humanizePercentage }} of {{ $labels.resource }} in {{ $labels.resourcequota }} "
        f"has been used for 15 minutes; the threshold is {percent(ratio)}.",
    )
