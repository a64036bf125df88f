"""The metrics API, which the autoscalers read."""

from collections.abc import Iterator

from audit.reports.words import count
from tenantry.preflight.api import UNAVAILABLE, RefusedError
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

_METRICS = "/apis/metrics.k8s.io/v1beta1"
_REQUIRED = "the metrics API (`kubectl top pods`), from which autoscalers read CPU usage"
_FIX = "install Metrics Server, or repair it: `kubectl get apiservice v1beta1.metrics.k8s.io`"


def check_metrics(inspected: Inspected) -> Iterator[Finding]:
    """Autoscalers need CPU figures."""
    try:
        served = inspected.api.get(_METRICS)
    except RefusedError as error:
        if error.reason != UNAVAILABLE:
            raise
        found = f"it is registered, but does not answer: {error}"
        yield Finding(status=Status.FAILED, found=found, required=_REQUIRED, fix=_FIX)
        return
    if served is None:
        yield Finding(status=Status.FAILED, found="it is not served", required=_REQUIRED, fix=_FIX)
        return
    nodes = inspected.api.items(f"{_METRICS}/nodes") or []
    if not nodes:
        yield Finding(status=Status.WARNING, found="it answers, but has no node", required=_REQUIRED, fix=_FIX)
        return
    yield Finding(status=Status.OK, found=f"it answers for {count(len(nodes), 'node')}", required=_REQUIRED)
