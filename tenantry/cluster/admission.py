"""Tests the admission of a tenant's pods on a real API server: at the minimum, at the maximum, and during a rollout.

No pod runs: all are bound to a Node object without a kubelet, and are marked ready by this program, so that the
Deployment continues. A pod that is deleted there stays for its whole grace period and counts against the quota: it is
the most that a rollout can require.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib.hardening import hardened
from constructs_lib.names import platform_labels
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

NODE: Final = "tenantry-validate"
WAIT_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.3
_FIELD_MANAGER: Final = "tenantry-validate"

Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TenantWorkload:
    """The parts of a tenant's manifests that the test needs.

    Args:
        name: the tenant and its namespace.
        deployment: the Deployment's name; the autoscaler's, too.
        selector: the pods, as kubectl selects them.
        minimum: pods at rest.
        maximum: pods under load.
        surge: pods above the maximum in a rollout.
        quota: pods that the quota allows.
    """

    name: str
    deployment: str
    selector: str
    minimum: int
    maximum: int
    surge: int
    quota: int

    @classmethod
    def of(cls, objects: Iterable[Object]) -> "TenantWorkload":
        """The tenant of a file of dist/."""
        kinds = {each["kind"]: each for each in objects}
        deployment, scaler = kinds["Deployment"], kinds["HorizontalPodAutoscaler"]["spec"]
        labels = deployment["spec"]["selector"]["matchLabels"]
        return cls(
            name=kinds["Namespace"]["metadata"]["name"],
            deployment=deployment["metadata"]["name"],
            selector=",".join(f"{key}={value}" for key, value in labels.items()),
            minimum=scaler["minReplicas"],
            maximum=scaler["maxReplicas"],
            surge=deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"],
            quota=int(kinds["ResourceQuota"]["spec"]["hard"]["pods"]),
        )

    @property
    def headroom(self) -> int:
        """Additional pods that the quota allows while a rollout at the maximum replaces every pod."""
        return max(0, self.quota - 2 * self.maximum - self.surge)


def apply(kubectl: Kubectl, objects: Sequence[Object], *, dry_run: bool = False) -> None:
    """Apply objects in their order, server-side and with strict validation.

    Raises:
        CommandError: the API server refused one, or printed a warning; the message is the server's.
    """
    if not objects:
        return
    command = ["apply", "--server-side", "--validate=strict", "--field-manager", _FIELD_MANAGER, "--filename", "-"]
    if dry_run:  # another field manager may own the objects by now; nothing changes
        command += ["--dry-run=server", "--force-conflicts"]
    done = kubectl.try_run(*command, stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    said = done.stderr.strip()
    if done.returncode:
        raise CommandError(f"the API server refused:\n{said}")
    if "warning" in said.lower():
        raise CommandError(f"the API server accepted it with a warning:\n{said}")


def on_the_node(item: Object) -> Object:
    """A Deployment whose pods are bound to the node without a kubelet; any other object unchanged."""
    if item["kind"] != "Deployment":
        return item
    copy: Object = json.loads(json.dumps(item))
    copy["spec"]["template"]["spec"]["nodeName"] = NODE
    return copy


def node() -> Object:
    """The node without a kubelet: nothing is scheduled to it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "labels": platform_labels()},
        "spec": {"unschedulable": True, "taints": [{"key": "tenantry.dev/validate", "effect": "NoSchedule"}]},
    }


class Walk:
    """The test of one tenant: at the minimum, at the maximum, during a rolling update, and what must be refused.

    Attributes:
        peak: the highest number of pods in the namespace, terminating pods included.
    """

    def __init__(self, kubectl: Kubectl, tenant: TenantWorkload) -> None:
        self.tenant = tenant
        self.peak = 0
        self._kubectl = kubectl

    def to_the_minimum(self) -> None:
        """The autoscaler scales the Deployment, which sets no number of replicas, to the minimum."""
        self._until(f"{self.tenant.minimum} pods by the autoscaler", lambda: len(self._pods()) == self.tenant.minimum)

    def to_the_maximum(self) -> None:
        """Create the headroom pods, delete the autoscaler, which sees no load here, and scale to the maximum."""
        tenant = self.tenant
        self._run("delete", "horizontalpodautoscaler", tenant.deployment)
        for index in range(tenant.headroom):
            self._create(_pod(f"headroom-{index}"))
        self._run("scale", f"deployment/{tenant.deployment}", f"--replicas={tenant.maximum}")
        self._until(f"{tenant.maximum} ready pods", self._all_ready)

    def through_a_rolling_update(self) -> None:
        """Replace every pod while the terminating pods still count."""
        name = self.tenant.deployment
        patch = {"spec": {"template": {"metadata": {"annotations": {"tenantry.dev/validate": "updated"}}}}}
        self._run("patch", f"deployment/{name}", "--patch", json.dumps(patch))
        generation = self._get("deployment", name)["metadata"]["generation"]
        self._until("a whole rolling update", lambda: self._updated(generation))

    def past_what_must_be_refused(self) -> tuple[str, ...]:
        """Ask for objects that the tenant's isolation forbids: proof that the admission chain is active.

        Returns:
            What was refused, each for the expected reason.

        Raises:
            CommandError: an object was admitted, or refused for another reason.
        """
        big = {"cpu": "100", "memory": "1Ti"}
        port = {"port": 80, "protocol": "TCP"}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "open-door"}}
        forbidden = (
            ("a privileged pod", _pod("privileged", security={"privileged": True}), "violates PodSecurity"),
            ("a pod of root", _pod("root", security={"runAsUser": 0, "runAsNonRoot": False}), "violates PodSecurity"),
            ("an oversize pod", _pod("oversize", resources={"requests": big, "limits": big}), "maximum cpu usage"),
            ("a NodePort", {**service, "spec": {"type": "NodePort", "ports": [port]}}, "exceeded quota"),
            ("a LoadBalancer", {**service, "spec": {"type": "LoadBalancer", "ports": [port]}}, "exceeded quota"),
        )
        for what, item, reason in forbidden:
            self._refused(what, item, reason)
        free = self.tenant.quota - self._used()
        for index in range(free):
            self._create(_pod(f"last-{index}"))
        self._refused("one pod over quota", _pod("over"), "exceeded quota")
        return (*(what for what, _, _ in forbidden), "one pod over quota")

    def _refused(self, what: str, item: Object, reason: str) -> None:
        done = self._kubectl.try_run(
            "create", "--namespace", self.tenant.name, "--dry-run=server", "--filename", "-", stdin=json.dumps(item)
        )
        if done.returncode == 0:
            raise CommandError(f"{self.tenant.name}: {what} was admitted, but must be refused ({reason})")
        if reason not in done.stderr:
            raise CommandError(f"{self.tenant.name}: {what} was not refused for '{reason}': {done.stderr.strip()}")

    def _create(self, item: Object) -> None:
        self._kubectl.run("create", "--namespace", self.tenant.name, "--filename", "-", stdin=json.dumps(item))

    def _updated(self, generation: int) -> bool:
        done = self._all_ready()
        status = self._get("deployment", self.tenant.deployment).get("status", {})
        observed = status.get("observedGeneration", 0) >= generation
        return done and observed and status.get("updatedReplicas") == status.get("replicas") == self.tenant.maximum

    def _all_ready(self) -> bool:
        """Mark every pod ready that is not terminating; returns whether the maximum of them is ready."""
        pods = self._pods()
        waiting = [pod["metadata"]["name"] for pod in pods if not _is_ready(pod)]
        if waiting:
            conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady", "PodScheduled")]
            status = {"status": {"phase": "Running", "conditions": conditions}}
            command = ["--subresource=status", "--type=merge", "--patch", json.dumps(status)]
            # A pod may have been deleted in the meantime.
            self._kubectl.try_run("patch", "pods", *waiting, "--namespace", self.tenant.name, *command)
        return len(pods) - len(waiting) == self.tenant.maximum

    def _pods(self) -> list[Object]:
        """The service's pods that are not terminating."""
        found = self._get("pods", "--selector", self.tenant.selector)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def _used(self) -> int:
        """Pods that count against the quota now, from the status of the quota."""
        used = self._get("resourcequota", self.tenant.deployment).get("status", {}).get("used", {})
        return int(used.get("pods", 0))

    def _until(self, what: str, done: Callable[[], bool]) -> None:
        """Poll until `done`; a pod that was denied ends the wait.

        Raises:
            CommandError: a pod was denied, or WAIT_SECONDS passed.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while not done():
            self._check_denials()
            if time.monotonic() > deadline:
                said = json.dumps(self._get("deployment", self.tenant.deployment).get("status", {}))
                raise CommandError(f"{self.tenant.name}: no {what} within {WAIT_SECONDS:.0f} s; its Deployment: {said}")
            time.sleep(_POLL_SECONDS)
        self._check_denials()

    def _check_denials(self) -> None:
        self.peak = max(self.peak, self._used())
        events = self._get("events", "--field-selector", "reason=FailedCreate")["items"]
        if events:
            raise CommandError(f"{self.tenant.name}: a pod was denied: {events[-1]['message']}")

    def _run(self, *arguments: str) -> None:
        self._kubectl.run(*arguments, "--namespace", self.tenant.name)

    def _get(self, *arguments: str) -> Any:
        return self._kubectl.get(*arguments, "--namespace", self.tenant.name)


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _pod(name: str, *, security: Object | None = None, resources: Object | None = None) -> Object:
    """A pod that is admitted unless the arguments say otherwise; the LimitRange sets its size."""
    container = {"name": "headroom", "image": "registry.invalid/headroom:1", "resources": resources or {}}
    spec = hardened({"nodeName": NODE, "containers": [container]})
    context = spec["containers"][0]["securityContext"]
    context |= security or {}
    if "privileged" in context:  # the two exclude each other
        del context["allowPrivilegeEscalation"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
