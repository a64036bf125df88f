"""Runs a probe: creates its objects, observes what they can do, and deletes them in every case."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from constructs_lib.platform import PlatformSettings
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say, step
from tenantry.errors import CommandError, InterruptedByUserError
from tenantry.preflight.probe import objects
from tenantry.preflight.probe.observations import Observations

START_SECONDS: Final = 120.0
"""How long the pods may take, with the pull of the image."""
EFFECT_SECONDS: Final = 30.0
"""How long a policy may take until it has an effect on every node."""
DELETE_SECONDS: Final = 120
_ASK_SECONDS: Final = 2
_POLL_SECONDS: Final = 0.5
_CONNECT: Final = (
    "import socket,sys;s=socket.create_connection((sys.argv[1],{port}),{timeout});sys.exit(s.recv(2)!=b'ok')"
)
_RESOLVE: Final = "import socket;print(socket.getaddrinfo('kubernetes.default.svc',443)[0][4][0])"
_PULL_PROBLEMS: Final = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}


class _Shielded(Kubectl):
    """A kubectl that Ctrl-C in the terminal does not reach, so that what was created is known and deleted."""

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, check=False, process_group=0
        )


def observe(kubectl: Kubectl, settings: PlatformSettings, image: str, *, stop: threading.Event) -> Observations:
    """Create two pods in a new namespace, observe what they can do, and delete everything.

    Args:
        kubectl: the cluster.
        settings: the platform's settings: its DNS servers, and who chooses the UID.
        image: an image with Python, as the service's.
        stop: ends the probe early.

    Raises:
        InterruptedByUserError: `stop` was set; everything was deleted.
        CommandError: an object was refused, or could not be deleted; the message names it.
    """
    kubectl = _Shielded(kubeconfig=kubectl.kubeconfig, context=kubectl.context)
    _report_leftovers(kubectl)
    with _namespace(kubectl) as space:
        return _Probe(kubectl, space, settings, image, stop).observations()


def _report_leftovers(kubectl: Kubectl) -> None:
    """Name the namespaces that a killed probe left behind, or that another one uses at this moment."""
    left = kubectl.try_run("get", "namespaces", "--selector", objects.LABEL, "--output", "name").stdout.split()
    if left:
        names = " ".join(each.removeprefix("namespace/") for each in left)
        say(f"the namespace of another probe exists; if that probe no longer runs: kubectl delete namespace {names}")


@contextmanager
def _namespace(kubectl: Kubectl) -> Iterator[str]:
    item = objects.namespace()
    name = item["metadata"]["name"]
    created = kubectl.try_run("create", "--filename", "-", stdin=json.dumps(item))
    if created.returncode and "(Forbidden)" in created.stderr:
        raise CommandError(f"--probe needs permission to create a namespace: {created.stderr.strip()}")
    try:
        if created.returncode:
            raise CommandError(f"namespace {name} could not be created: {created.stderr.strip()}")
        yield name
    finally:
        with step(f"deleting namespace {name}"):
            timeout = f"--timeout={DELETE_SECONDS}s"
            done = kubectl.try_run("delete", "namespace", name, "--ignore-not-found", "--wait", timeout)
        if done.returncode:
            say(f"if namespace {name} exists, delete it: kubectl delete namespace {name} ({done.stderr.strip()})")


class _Probe:
    """One probe, in a namespace that exists."""

    def __init__(
        self, kubectl: Kubectl, space: str, settings: PlatformSettings, image: str, stop: threading.Event
    ) -> None:
        self._kubectl = kubectl
        self._space = space
        self._settings = settings
        self._image = image
        self._stop = stop

    def observations(self) -> Observations:
        """Everything that a probe observes."""
        refused = self._refuses(objects.privileged_pod(self._space, self._image))
        roles = (objects.SERVER, objects.CLIENT)
        with step(f"starting two pods of {self._image}"):
            self._await_account()
            for role in roles:
                fixed = self._settings.pods.fixed_user
                _create(self._kubectl, objects.pod(role, self._space, self._image, fixed_user=fixed))
            problem = self._until_ready(roles)
        if problem:
            return Observations(image=self._image, not_started=problem, privileged_refused=refused)
        address = self._pods()[objects.SERVER]["status"]["podIP"]
        with step("testing network policies"):
            before = self._becomes(address, open_=True)
            with self._policy(objects.denial(objects.SERVER, "Ingress", self._space)):
                ingress_denied = self._becomes(address, open_=False)
            after_ingress = self._becomes(address, open_=True)
            with self._policy(objects.denial(objects.CLIENT, "Egress", self._space)):
                egress_denied = self._becomes(address, open_=False)
        with step("testing DNS"), self._policy(objects.dns_only(self._space, self._settings)):
            self._becomes(address, open_=False)  # the policy has an effect
            resolved = self._resolved()
        return Observations(
            image=self._image,
            before=before,
            ingress_denied=ingress_denied,
            after_ingress=after_ingress,
            egress_denied=egress_denied,
            resolved=resolved,
            privileged_refused=refused,
        )

    def _refuses(self, item: Mapping[str, Any]) -> bool:
        done = self._kubectl.try_run("create", "--dry-run=server", "--filename", "-", stdin=json.dumps(item))
        return done.returncode != 0 and "violates PodSecurity" in done.stderr

    def _await_account(self) -> None:
        """A new namespace has no ServiceAccount for a moment, and admits no pod without one."""
        arguments = ("get", "serviceaccount", "default", "--namespace", self._space, "--ignore-not-found", "-o", "name")
        if not self._wait(lambda: bool(self._kubectl.run(*arguments)), START_SECONDS):
            raise CommandError(f"namespace {self._space} has no ServiceAccount default after {START_SECONDS:.0f} s")

    def _until_ready(self, roles: Sequence[str]) -> str:
        """Wait for the pods; why one does not start, or nothing."""
        problem = ""

        def is_decided() -> bool:
            nonlocal problem
            pods = self._pods()
            problem = next((found for role in roles if (found := _problem(pods.get(role, {})))), "")
            return bool(problem) or all(_is_ready(pods.get(role, {})) for role in roles)

        if self._wait(is_decided, START_SECONDS):
            return problem
        waiting = [role for role in roles if not _is_ready(self._pods().get(role, {}))]
        return f"the pods {', '.join(waiting)} are not ready after {START_SECONDS:.0f} s: {self._reason(waiting[0])}"

    def _reason(self, role: str) -> str:
        """Why a pod waits, from its conditions and containers."""
        status = self._pods().get(role, {}).get("status", {})
        said = [each["message"] for each in status.get("conditions", []) if each.get("message")]
        said += [str(each["state"]) for each in status.get("containerStatuses", [])]
        return "; ".join(said) or "no reason is known"

    def _pods(self) -> dict[str, Any]:
        items = self._kubectl.get("pods", "--namespace", self._space)["items"]
        return {each["metadata"]["name"]: each for each in items}

    @contextmanager
    def _policy(self, item: Mapping[str, Any]) -> Iterator[None]:
        _create(self._kubectl, item)
        try:
            yield
        finally:
            self._kubectl.run("delete", "networkpolicy", item["metadata"]["name"], "--namespace", self._space)

    def _becomes(self, address: str, *, open_: bool) -> bool:
        """Whether the connection of the client to the server is open, or closed, within EFFECT_SECONDS."""
        code = _CONNECT.format(port=objects.PORT, timeout=_ASK_SECONDS)
        return self._wait(lambda: (self._python(code, address).returncode == 0) is open_, EFFECT_SECONDS)

    def _resolved(self) -> str:
        found = ""

        def is_resolved() -> bool:
            nonlocal found
            done = self._python(_RESOLVE)
            found = done.stdout.strip() if done.returncode == 0 else ""
            return bool(found)

        self._wait(is_resolved, EFFECT_SECONDS)
        return found

    def _python(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        place = ("exec", "--namespace", self._space, objects.CLIENT, "--")
        done = self._kubectl.try_run(*place, "python", "-c", code, *arguments)
        if done.returncode and "command terminated with exit code" not in done.stderr:
            raise CommandError(f"kubectl exec failed in {self._space}: {done.stderr.strip()}")
        return done

    def _wait(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether it holds within so many seconds.

        Raises:
            InterruptedByUserError: the user stopped the probe.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self._stop.is_set():
                raise InterruptedByUserError("the probe was stopped")
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            self._stop.wait(_POLL_SECONDS)


def _create(kubectl: Kubectl, item: Mapping[str, Any]) -> None:
    kubectl.run("create", "--filename", "-", stdin=json.dumps(item))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _problem(pod: Mapping[str, Any]) -> str:
    """Why a pod will not start by itself; empty while it may."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        state = status["state"]
        if (waiting := state.get("waiting", {})).get("reason") in _PULL_PROBLEMS:
            return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
        if ended := state.get("terminated"):
            return f"its container ended with code {ended.get('exitCode')}: {ended.get('message') or ended['reason']}"
    return ""
