"""Alerts about a tenant's pods and resources, computed from the metrics of kube-state-metrics and cAdvisor."""

from collections.abc import Iterator

from constructs_lib.monitoring.promql import percent, selector
from constructs_lib.monitoring.rule import MonitoredTenant, Rule, alert


def pod_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """Pods that are unavailable or not ready, and containers that restart repeatedly."""
    settings = tenant.settings
    of_deployment = {"namespace": tenant.name, "deployment": tenant.deployment}

    def replicas(kind: str) -> str:
        return f"max by (namespace, deployment) ({selector(f'kube_deployment_{kind}', **of_deployment)})"

    yield alert(
        tenant,
        "InferencePodsNotReady",
        f"{replicas('status_replicas_available')} < 1\nand\n{replicas('spec_replicas')} > 0",
        severity="critical",
        for_=f"{settings.unavailable_minutes}m",
        summary=f"No pod of {tenant.name} is available.",
        description="{{ $value }} pods have been available for "
        f"{settings.unavailable_minutes} minutes; the threshold is 1.",
    )
    yield alert(
        tenant,
        "InferencePodsNotReady",
        f"{replicas('spec_replicas')} - {replicas('status_replicas_ready')} > 0",
        severity="warning",
        for_=f"{settings.not_ready_minutes}m",
        summary=f"Some pods of {tenant.name} are not ready.",
        description="{{ $value }} of the desired pods have not been ready for "
        f"{settings.not_ready_minutes} minutes; the threshold is 0.",
    )
    restarts = selector("kube_pod_container_status_restarts_total", **tenant.container_labels)
    yield alert(
        tenant,
        "InferencePodCrashLooping",
        f"sum by (namespace, pod) (increase({restarts}[30m])) >= {settings.restarts}",
        severity="warning",
        for_="1m",
        summary=f"A pod of {tenant.name} restarts repeatedly.",
        description='{{ $labels.pod }} was restarted {{ printf "%.0f" $value }} times within 30 minutes; '
        f"the threshold is {settings.restarts}.",
    )


def resource_alerts(tenant: MonitoredTenant) -> Iterator[Rule]:
    """The autoscaler at its maximum, throttled CPU, memory near its limit and a quota that is nearly used up."""
    yield _at_maximum(tenant)
    settings = tenant.settings
    by = "by (namespace, pod)"
    throttled = selector("container_cpu_cfs_throttled_periods_total", **tenant.container_labels)
    periods = selector("container_cpu_cfs_periods_total", **tenant.container_labels)
    yield alert(
        tenant,
        "InferenceCPUThrottling",
        f"sum {by} (rate({throttled}[5m])) / sum {by} (rate({periods}[5m])) > {settings.cpu_throttling_ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"A pod of {tenant.name} is throttled: it needs more CPU than its limit.",
        description="{{ $labels.pod }} was throttled in {{ $value | humanizePercentage }} of its CPU periods "
        f"for 15 minutes; the threshold is {percent(settings.cpu_throttling_ratio)}.",
    )
    used = selector("container_memory_working_set_bytes", **tenant.container_labels)
    limit = selector("kube_pod_container_resource_limits", **tenant.container_labels, resource="memory")
    yield alert(
        tenant,
        "InferenceMemoryNearLimit",
        f"max {by} ({used}) / (max {by} ({limit}) > 0) > {settings.memory_ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"A pod of {tenant.name} is close to its memory limit.",
        description="{{ $labels.pod }} has used {{ $value | humanizePercentage }} of its memory limit "
        f"for 15 minutes; the threshold is {percent(settings.memory_ratio)}.",
    )
    yield _quota(tenant)


def _at_maximum(tenant: MonitoredTenant) -> Rule:
    minutes = tenant.settings.autoscaler_at_maximum_minutes

    def hpa(kind: str) -> str:
        series = selector(
            f"kube_horizontalpodautoscaler_{kind}", namespace=tenant.name, horizontalpodautoscaler=tenant.hpa
        )
        return f"max by (namespace, horizontalpodautoscaler) ({series})"

    return alert(
        tenant,
        "InferenceAutoscalerAtMaximum",
        f"{hpa('status_current_replicas')} >= {hpa('spec_max_replicas')}\n"
        f"and\n{hpa('spec_max_replicas')} > {hpa('spec_min_replicas')}",
        severity="warning",
        for_=f"{minutes}m",
        summary=f"{tenant.name} has reached its maximum number of pods.",
        description="{{ $labels.horizontalpodautoscaler }} has had {{ $value }} replicas, its maximum, for "
        f"{minutes} minutes; the threshold is that maximum.",
    )


def _quota(tenant: MonitoredTenant) -> Rule:
    ratio = tenant.settings.quota_ratio

    def quota(kind: str) -> str:
        return f"max by (namespace, resourcequota, resource) ({selector('kube_resourcequota', **kind_of(kind))})"

    def kind_of(kind: str) -> dict[str, str]:
        return {"namespace": tenant.name, "type": kind}

    return alert(
        tenant,
        "InferenceQuotaNearlyUsed",
        f"{quota('used')} / ({quota('hard')} > 0) > {ratio:g}",
        severity="warning",
        for_="15m",
        summary=f"{tenant.name} has nearly used up its quota.",
        description="{{ $value | humanizePercentage }} of {{ $labels.resource }} in {{ $labels.resourcequota }} "
        f"has been used for 15 minutes; the threshold is {percent(ratio)}.",
    )
