"""A Job that loads a tenant's Service from inside its namespace, and what the autoscaler shows meanwhile."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from constructs_lib.hardening import hardened
from constructs_lib.names import object_name, service_name
from inference import contract
from tenantry.api_key import refusal
from tenantry.cluster import load_pod
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tenantry.errors import CommandError, InterruptedByUserError

JOB: Final = "tenantry-load"
LABELS: Final = {"app.kubernetes.io/name": JOB}
SCRIPT: Final = Path(load_pod.__file__)
CHARACTERS: Final = 16_000
"""Length of the text: long, so that an answer costs the service much more CPU than the request costs the load pod."""
REQUESTS_PER_CONNECTION: Final = 50
_POLL_SECONDS: Final = 5.0
_END_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the autoscaler showed at one moment.

    Attributes:
        seconds: Since the load began.
        ready: Pods that are ready.
        wanted: Pods that the autoscaler wants.
        cpu_percent: CPU usage as a percentage of the pods' requests, from Metrics Server; None if it has no value yet.
    """

    seconds: int
    ready: int
    wanted: int
    cpu_percent: int | None


@contextmanager
def running(
    kubectl: Kubectl, tenant: str, *, seconds: int, pods: int, connections: int, key: str = ""
) -> Iterator[None]:
    """Run a Job that loads the tenant's Service; it is deleted when the block ends.

    An API key is in a Secret that the Job owns, so that the cluster deletes it even if this process is killed.

    Raises:
        CommandError: The Job or the Secret could not be created.
    """
    deployment = kubectl.get("deployment", object_name(tenant), "--namespace", tenant)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    manifest = job_manifest(tenant, image=image, pods=pods, seconds=seconds, connections=connections, has_key=bool(key))
    done = kubectl.try_run(
        "create", "--filename", "-", "--output", "jsonpath={.metadata.uid}", stdin=json.dumps(manifest)
    )
    if done.returncode:
        reason = done.stderr.strip()
        if "AlreadyExists" in reason:
            reason = f"a load is already running; to stop it: kubectl --namespace {tenant} delete job {JOB}"
        raise CommandError(f"{tenant}: the load could not start: {reason}")
    objects = [f"job/{JOB}", *([f"secret/{JOB}"] if key else [])]
    try:
        if key:
            kubectl.run("create", "--filename", "-", stdin=json.dumps(key_manifest(tenant, key, job=done.stdout)))
        yield
    finally:
        gone = kubectl.try_run(
            "delete", *objects, "--namespace", tenant, "--ignore-not-found", "--wait=false", "--cascade=foreground"
        )
        if gone.returncode:  # not raised: it would hide the error that ended the block
            say(f"warning: {' and '.join(objects)} of {tenant} may not be deleted: {gone.stderr.strip()}")


def key_manifest(tenant: str, key: str, *, job: str) -> dict[str, Any]:
    """The Secret with the API key that the load pods send.

    Args:
        tenant: Whose namespace it is in.
        key: The key.
        job: UID of the Job that owns it.
    """
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": JOB, "uid": job}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": JOB, "namespace": tenant, "labels": LABELS, "ownerReferences": [owner]},
        "type": "Opaque",
        "immutable": True,
        "stringData": {load_pod.KEY_VARIABLE: key},
    }


def job_manifest(
    tenant: str, *, image: str, pods: int, seconds: int, connections: int, has_key: bool = False
) -> dict[str, Any]:
    """The Job, admitted by the tenant's namespace: no permissions, small, and not selected by the Service."""
    order = {
        "host": service_name(tenant),
        "port": contract.PORT,
        "path": contract.PREDICT_PATH,
        "rate": 0,
        "connections": connections,
        "seconds": seconds,
        "characters": CHARACTERS,
        "requests_per_connection": REQUESTS_PER_CONNECTION,
        "latencies": False,
    }
    container: dict[str, Any] = {
        "name": "load",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", SCRIPT.read_text(encoding="utf-8"), json.dumps(order)],
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
    }
    if has_key:
        of_secret = {"secretKeyRef": {"name": JOB, "key": load_pod.KEY_VARIABLE}}
        container["env"] = [{"name": load_pod.KEY_VARIABLE, "valueFrom": of_secret}]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": JOB, "namespace": tenant, "labels": LABELS},
        "spec": {
            "parallelism": pods,
            "completions": pods,
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds + 120,
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": LABELS},
                "spec": hardened({"restartPolicy": "Never", "containers": [container]}),
            },
        },
    }


def watch(kubectl: Kubectl, tenant: str, seconds: int, stop: threading.Event) -> Iterator[Moment]:
    """Look at the autoscaler every few seconds until the time is over or the Job has failed; print what changed.

    Raises:
        InterruptedByUserError: `stop` was set.
    """
    began, shown = time.monotonic(), ""
    while (passed := time.monotonic() - began) < seconds and not _job_status(kubectl, tenant).get("failed"):
        moment = _moment(kubectl, tenant, round(passed))
        cpu = "no CPU value yet" if moment.cpu_percent is None else f"CPU {moment.cpu_percent} % of the request"
        line = f"{moment.ready} of {moment.wanted} pods, {cpu}"
        if line != shown:
            say(f"  {moment.seconds:4} s: {line}")
            shown = line
        yield moment
        if stop.wait(_POLL_SECONDS):
            raise InterruptedByUserError("the load was stopped, and its Job deleted")


def answers(kubectl: Kubectl, tenant: str, pods: int, stop: threading.Event) -> dict[str, int]:
    """Wait until the load pods end, and add up what they counted.

    Returns:
        The number of answers by status, and of failures by reason.

    Raises:
        CommandError: The tenant refused the API key, no load pod ran, or one did not run to its end.
        InterruptedByUserError: `stop` was set.
    """
    for _ in range(_END_SECONDS):
        status = _job_status(kubectl, tenant)
        if status.get("succeeded", 0) == pods or status.get("failed"):
            break
        if stop.wait(1):
            raise InterruptedByUserError("the load was stopped, and its Job deleted")
    logs = kubectl.run("logs", "--namespace", tenant, "--selector", f"app.kubernetes.io/name={JOB}", "--tail", "-1")
    total, done = add_up(logs)
    for status_code in (401, 403):
        if f"status {status_code}" in total:
            raise CommandError(refusal(tenant, status_code))
    if done < pods:
        raise CommandError(
            f"{tenant}: {done} of {pods} load pods ran to their end. Does the quota allow {pods} more pods? See: "
            f" kubectl --context {kubectl.context} --namespace {tenant} get events"
        )
    return total


def add_up(logs: str) -> tuple[dict[str, int], int]:
    """The number of answers by status and of failures by reason, and how many load pods ran to their end."""
    total, done = Counter[str](), 0
    for text in logs.splitlines():
        try:
            line = json.loads(text)
            done += bool(line.get("done"))
        except (ValueError, AttributeError):
            continue  # a line of a pod that failed; it is missed among those that ran to their end
        if "second" in line:
            total.update({"200": line["ok"], "429": line["shed"], **line["failed"]})
    return {reason: number for reason, number in sorted(total.items()) if number}, done


def _job_status(kubectl: Kubectl, tenant: str) -> dict[str, Any]:
    status: dict[str, Any] = kubectl.get("job", JOB, "--namespace", tenant).get("status", {})
    return status


def _moment(kubectl: Kubectl, tenant: str, seconds: int) -> Moment:
    status = kubectl.get("hpa", object_name(tenant), "--namespace", tenant).get("status", {})
    deployment = kubectl.get("deployment", object_name(tenant), "--namespace", tenant).get("status", {})
    found = [metric.get("containerResource", metric.get("resource")) for metric in status.get("currentMetrics") or ()]
    figures = [metric["current"] for metric in found if metric]
    return Moment(
        seconds=seconds,
        ready=deployment.get("readyReplicas", 0),
        wanted=status.get("desiredReplicas", 0),
        cpu_percent=figures[0].get("averageUtilization") if figures else None,
    )
