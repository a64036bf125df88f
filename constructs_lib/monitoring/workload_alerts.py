"""Alerts about a tenant's pods and resources, over kube-state-metrics' and cAdvisor's documented metrics."""

from collections.abc import Iterator

from constructs_lib.monitoring.promql import percent, selector
from constructs_lib.monitoring.scope import Rule, Scope, alert


def pod_alerts(scope: Scope) -> Iterator[Rule]:
    """Pods that are not ready, and pods that start again and again."""
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


def resource_alerts(scope: Scope) -> Iterator[Rule]:
    """The autoscaler's maximum, CPU, memory and quota."""
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
