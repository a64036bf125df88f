"""Access to a cluster with `kubectl` and from inside its pods."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tenantry.errors import CommandError

INSIDE: Final = Path(__file__).parent / "inside"
"""Scripts that run in pods and use only the standard library."""
PERMANENT: Final = re.compile(r"back-off (40s|1m20s|2m40s|5m0s) restarting|ErrImageNeverPull|InvalidImageName")
"""States that do not recover: a container that failed four times, an image that cannot be pulled."""
Object = Mapping[str, Any]


@dataclass(frozen=True)
class LiveCluster:
    """The cluster under test."""

    kubectl: Kubectl

    def apply(self, *objects: Object) -> str:
        """Apply objects, if there are any; return the output of kubectl."""
        if not objects:
            return ""
        return self.kubectl.run("apply", "-f", "-", stdin=_listed(objects))

    def try_create(self, manifest: Object, *flags: str) -> str:
        """Create an object; return the API server's refusal, or an empty string."""
        done = self.kubectl.try_run("create", "-f", "-", *flags, stdin=json.dumps(manifest))
        return done.stderr.strip() if done.returncode else ""

    def delete(self, *arguments: str) -> None:
        """Delete objects that exist and wait until they are gone."""
        self.kubectl.run("delete", "--ignore-not-found", "--wait", "--timeout=180s", *arguments)

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a `kubectl get`."""
        return list(self.kubectl.get(*arguments)["items"])

    def exists(self, *arguments: str) -> bool:
        """Whether `kubectl get` finds the object."""
        return bool(self.kubectl.run("get", "--ignore-not-found", "-o", "name", *arguments).strip())

    def patch(self, namespace: str, what: str, change: Object) -> None:
        """Merge `change` into an object."""
        self.kubectl.run("patch", "-n", namespace, what, "--type=merge", "-p", json.dumps(change))

    def pods(self, namespace: str, *, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Pods of a namespace that are not terminating."""
        chosen = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        found = self.items("pods", "-n", namespace, *(("-l", chosen) if chosen else ()))
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, tenant: str) -> list[dict[str, Any]]:
        """A tenant's serving pods that are Ready."""
        return [pod for pod in self.pods(tenant, labels=service_labels(tenant)) if is_ready(pod)]

    def python(
        self,
        namespace: str,
        pod: str,
        script: str | Path,
        *arguments: object,
        container: str = "",
        seconds: float = 120,
    ) -> Any:
        """Run a script in a pod; return the JSON of its last line.

        Args:
            namespace: The pod's namespace.
            pod: The pod's name.
            script: A script in INSIDE, by its name, or any other script, by its path.
            arguments: Arguments of the script, which are sent as JSON.
            container: The container; empty for the default one.
            seconds: Time limit.

        Raises:
            CommandError: It failed, or printed nothing.
        """
        path = script if isinstance(script, Path) else INSIDE / f"{script}.py"
        text = path.read_text("utf-8")
        chosen = ("-c", container) if container else ()
        command = self.kubectl.command(
            "exec", "-i", "-n", namespace, pod, *chosen, "--", "python", "-", *(json.dumps(each) for each in arguments)
        )
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=seconds)
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise CommandError(f"{path.name} in {namespace}/{pod} failed: {done.stderr.strip()[-2000:]}")
        return json.loads(lines[-1])

    def logs(self, namespace: str, pod: str) -> str:
        """The log of a pod's container."""
        return self.kubectl.run("logs", "-n", namespace, pod)

    def wait(self, what: str, reason: Callable[[], str], *, seconds: float) -> float:
        """Poll until a condition holds.

        Args:
            what: What the test waits for, such as "pods of tenant-a".
            reason: Returns why the condition does not hold yet; empty if it holds.
            seconds: Time limit.

        Returns:
            The time that it took, in seconds.

        Raises:
            CommandError: The time limit passed, or the state is permanent; the message contains the last reason.
        """
        began, shown = time.monotonic(), ""
        while why := reason():
            if time.monotonic() - began > seconds or PERMANENT.search(why):
                raise CommandError(f"{what}: not after {time.monotonic() - began:.0f} s: {why}")
            if why != shown:
                say(f"  waiting for {what}: {why}")
                shown = why
            time.sleep(0.5)
        return time.monotonic() - began

    def wait_for_pods(self, namespace: str, names: Iterable[str], *, seconds: float = 90) -> None:
        """Wait until the pods of these names are Ready."""
        wanted = set(names)

        def reason() -> str:
            found = {pod["metadata"]["name"]: pod for pod in self.pods(namespace)}
            return "; ".join(
                f"{name} {pod_state(found[name]) if name in found else 'does not exist'}"
                for name in sorted(wanted)
                if name not in found or not is_ready(found[name])
            )

        self.wait(f"pods in {namespace}", reason, seconds=seconds)


def service_labels(tenant: str) -> dict[str, str]:
    """The labels by which the Service and the Deployment select a tenant's serving pods."""
    own = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": tenant}
    return {**own, "tenantry.dev/tenant": tenant}


def workload(tenant: str) -> str:
    """Name of a tenant's ServiceAccount, Role, Deployment, HPA, PDB and monitors."""
    return f"{tenant}-ml-inference"


def service(tenant: str) -> str:
    """Name of a tenant's Service."""
    return f"{tenant}-ml-inference-svc"


def is_ready(pod: Object) -> bool:
    """Whether a pod or node is Ready."""
    return condition(pod, "Ready") == "True"


def condition(thing: Object, kind: str) -> str:
    """Status of a condition: True, False, Unknown or empty."""
    conditions: Sequence[Object] = thing.get("status", {}).get("conditions", ())
    return next((str(each["status"]) for each in conditions if each["type"] == kind), "")


def pod_state(pod: Object) -> str:
    """Why a pod is not Ready, from its status."""
    for each in pod["status"].get("containerStatuses", ()):
        state = each.get("state", {})
        for phase in ("waiting", "terminated"):
            if phase in state:
                return f"is {phase}: {state[phase].get('reason', '')} {state[phase].get('message', '')}".strip()[:300]
        if not each["ready"]:
            return "is running and not ready"
    unscheduled = [each for each in pod["status"].get("conditions", ()) if each["status"] != "True"]
    return f"is {pod['status'].get('phase')}: {unscheduled[0].get('message', '') if unscheduled else ''}"[:300]


def _listed(objects: Iterable[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
