"""`tenantry load`: puts load on a tenant from inside its own namespace and shows how the autoscaler answers."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from constructs_lib.names import object_name, service_name
from inference import contract
from tenantry.cluster import load_pod
from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say
from tenantry.errors import CommandError, InputError, InterruptedByUserError
from tenantry.options import PLATFORM_FILE, ContextOption, FileOption, Format, FormatOption, KubeconfigOption

JOB: Final = "tenantry-load"
_POLL_SECONDS: Final = 5.0
_SCRIPT: Final = Path(load_pod.__file__)
_MOST_PODS: Final = 4  # the guests that a tenant's quota has room for


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the autoscaler showed at one moment.

    Attributes:
        seconds: Since the load began.
        ready: Pods that answer.
        wanted: Pods that the autoscaler wants.
        cpu_percent: CPU used, of what the pods request, as Metrics Server has it; None where it has no figure yet.
    """

    seconds: int
    ready: int
    wanted: int
    cpu_percent: int | None


def load(
    tenant: Annotated[str | None, typer.Argument(help="The tenant; left out: the first of platform.yaml.")] = None,
    *,
    seconds: Annotated[int, typer.Option(min=10, max=1800, help="How long.")] = 240,
    pods: Annotated[int, typer.Option(min=1, max=_MOST_PODS, help="Pods that send.")] = 2,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Connections of each of them.")] = 8,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
    output: FormatOption = Format.TEXT,
) -> None:
    """Load one tenant so that it scales, and print its pods and CPU as time goes by.

    The load comes from a Job in the tenant's namespace, made of the service's own image, which is deleted at the end.
    Shows the cluster and asks first, unless CONFIRM names its context.

    Example: CONFIRM=kind-tenantry tenantry load tenant-a --seconds 300
    """
    from tenantry.platform_file import tenant_names
    from tenantry.processes import stop_requested

    name = tenant_names(file, [tenant] if tenant else ())[0]
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    confirm(kubectl, f"put load on {name} for {seconds} s")
    with stop_requested() as stop, _job(kubectl, name, seconds=seconds, pods=pods, connections=connections):
        moments = list(_watch(kubectl, name, seconds, stop))
        answers = _answers(kubectl, name, pods, stop)
    if output is Format.JSON:
        result(json.dumps({"tenant": name, "timeline": [asdict(moment) for moment in moments], "answers": answers}))
        return
    result(f"{name}: {' -> '.join(_steps(moments))} pods")
    result(f"answers: {', '.join(f'{count} x {status}' for status, count in answers.items()) or 'none'}")


@contextmanager
def _job(kubectl: Kubectl, tenant: str, *, seconds: int, pods: int, connections: int) -> Iterator[None]:
    """A Job that loads the tenant's Service; it is gone at the end, whatever happened."""
    deployment = kubectl.get("deployment", object_name(tenant), "--namespace", tenant)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    arguments = [service_name(tenant), str(contract.PORT), contract.PREDICT_PATH, str(seconds), str(connections)]
    manifest = job_manifest(tenant, image=image, pods=pods, seconds=seconds, arguments=arguments)
    done = kubectl.try_run("create", "--filename", "-", stdin=json.dumps(manifest))
    if done.returncode:
        reason = done.stderr.strip()
        if "AlreadyExists" in reason:
            reason = f"one is running, or was cut off; delete it: kubectl --namespace {tenant} delete job {JOB}"
        raise CommandError(f"{tenant}: the load could not start: {reason}")
    try:
        yield
    finally:
        kubectl.try_run("delete", "job", JOB, "--namespace", tenant, "--wait=false", "--cascade=foreground")


def job_manifest(tenant: str, *, image: str, pods: int, seconds: int, arguments: list[str]) -> dict[str, Any]:
    """The Job, as the tenant's walls let it in: no rights, small, and not selected by the Service."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": JOB, "namespace": tenant, "labels": {"app.kubernetes.io/name": JOB}},
        "spec": {
            "parallelism": pods,
            "completions": pods,
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds + 120,
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": JOB}},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": contract.USER_ID,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [
                        {
                            "name": "load",
                            "image": image,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["python", "-c", _SCRIPT.read_text(encoding="utf-8"), *arguments],
                            "resources": {
                                "requests": {"cpu": "100m", "memory": "64Mi"},
                                "limits": {"cpu": "500m", "memory": "256Mi"},
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }
                    ],
                },
            },
        },
    }


def _watch(kubectl: Kubectl, tenant: str, seconds: int, stop: threading.Event) -> Iterator[Moment]:
    """Look every few seconds until the time is up; print what changed."""
    began, shown = time.monotonic(), ""
    while (passed := time.monotonic() - began) < seconds:
        moment = _moment(kubectl, tenant, round(passed))
        cpu = "no CPU figure yet" if moment.cpu_percent is None else f"CPU {moment.cpu_percent} % of the request"
        line = f"{moment.ready} of {moment.wanted} pods, {cpu}"
        if line != shown:
            say(f"  {moment.seconds:4} s: {line}")
            shown = line
        yield moment
        if stop.wait(_POLL_SECONDS):
            raise InterruptedByUserError("the load was stopped, and its Job deleted")


def _moment(kubectl: Kubectl, tenant: str, seconds: int) -> Moment:
    status = kubectl.get("hpa", object_name(tenant), "--namespace", tenant).get("status", {})
    deployment = kubectl.get("deployment", object_name(tenant), "--namespace", tenant).get("status", {})
    figures = [metric["resource"]["current"] for metric in status.get("currentMetrics") or () if "resource" in metric]
    return Moment(
        seconds=seconds,
        ready=deployment.get("readyReplicas", 0),
        wanted=status.get("desiredReplicas", 0),
        cpu_percent=figures[0].get("averageUtilization") if figures else None,
    )


def _answers(kubectl: Kubectl, tenant: str, pods: int, stop: threading.Event) -> dict[str, int]:
    """Wait for the pods' last lines and add up what they counted.

    Raises:
        CommandError: A pod did not come to its end.
    """
    for _ in range(60):
        status = kubectl.get("job", JOB, "--namespace", tenant).get("status", {})
        if status.get("succeeded", 0) == pods:
            break
        if status.get("failed"):
            break
        if stop.wait(1):
            raise InterruptedByUserError("the load was stopped, and its Job deleted")
    logs = kubectl.run("logs", "--namespace", tenant, "--selector", f"app.kubernetes.io/name={JOB}", "--tail", "1")
    total: Counter[str] = Counter()
    for line in logs.splitlines():
        try:
            total.update(json.loads(line)["answers"])
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"a load pod of {tenant} ended badly: {line}") from error
    if not total:
        raise InputError(f"no load pod of {tenant} ran: does its quota have room for {pods} guests?")
    return dict(sorted(total.items()))


def _steps(moments: list[Moment]) -> list[str]:
    """The numbers of ready pods, each once as it changed."""
    numbers = [moment.ready for moment in moments]
    return [str(number) for index, number in enumerate(numbers) if index == 0 or number != numbers[index - 1]]
