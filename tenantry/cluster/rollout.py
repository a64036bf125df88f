"""Waits until tenants are ready, and prints what their pods wait for."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from constructs_lib.names import object_name, selector
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tenantry.errors import CommandError, InterruptedByUserError

READY_SECONDS: Final = 300.0
"""How long all tenants together may take."""
_POLL_SECONDS: Final = 1.0


def wait_until_ready(
    kubectl: Kubectl, tenants: Sequence[str], *, stop: threading.Event, seconds: float = READY_SECONDS
) -> None:
    """Wait until every pod that each tenant's Deployment wants is ready; print each change of what is missing.

    Raises:
        CommandError: `seconds` passed; the message has what the pods of each tenant wait for.
        InterruptedByUserError: `stop` was set.
    """
    deadline = time.monotonic() + seconds
    shown: dict[str, str] = {}
    while True:
        waiting = {}
        for tenant in tenants:
            state, ready = describe(kubectl, tenant)
            if shown.get(tenant) != state:
                say(f"  {tenant}: {state}")
                shown[tenant] = state
            if not ready:
                waiting[tenant] = state
        if not waiting:
            return
        if time.monotonic() > deadline:
            states = "; ".join(f"{tenant}: {state}" for tenant, state in waiting.items())
            raise CommandError(
                f"not ready after {seconds:.0f} s: {states}; see: kubectl --context {kubectl.context} "
                f"--namespace {next(iter(waiting))} get events --sort-by .lastTimestamp"
            )
        if stop.wait(_POLL_SECONDS):
            raise InterruptedByUserError("stopped before every tenant was ready")


def describe(kubectl: Kubectl, tenant: str) -> tuple[str, bool]:
    """The state of a tenant's pods in words, and whether all of them are ready."""
    deployment = kubectl.get("deployment", object_name(tenant), "--namespace", tenant)
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    ready, updated, total = (status.get(name, 0) for name in ("readyReplicas", "updatedReplicas", "replicas"))
    if observed and ready == updated == total == wanted and wanted:
        return f"{ready} of {wanted} pods ready", True
    reasons = sorted({reason for pod in _pods(kubectl, tenant) if (reason := _why_not_ready(pod))})
    return f"{min(ready, updated)} of {wanted} pods ready" + (f" ({'; '.join(reasons)})" if reasons else ""), False


def not_ready(kubectl: Kubectl, tenant: str) -> list[str]:
    """Names of the tenant's pods that are not ready."""
    return [pod["metadata"]["name"] for pod in _pods(kubectl, tenant) if _why_not_ready(pod)]


def _pods(kubectl: Kubectl, tenant: str) -> list[dict[str, Any]]:
    labels = ",".join(f"{name}={value}" for name, value in selector(tenant).items())
    pods: list[dict[str, Any]] = kubectl.get("pods", "--namespace", tenant, "--selector", labels)["items"]
    return pods


def _why_not_ready(pod: Mapping[str, Any]) -> str:
    """What a pod waits for, in a few words; empty if it is ready."""
    status = pod.get("status", {})
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        state = container.get("state", {})
        if waiting := state.get("waiting"):
            return str(waiting.get("reason", "waiting"))
    if (scheduled := conditions.get("PodScheduled", {})).get("status") == "False":
        return str(scheduled.get("message") or scheduled.get("reason", "not scheduled"))
    return str(status.get("phase", "unknown")) if status.get("phase") != "Running" else "starting"
