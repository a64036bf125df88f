"""A probe observes what pods can do, and deletes what it created in every case."""

import json
import os
import signal
import subprocess
import threading
from typing import Any

import pytest
from typer.testing import CliRunner

from constructs_lib.platform import PlatformSettings
from tenantry.cli import app
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError, InterruptedByUserError
from tenantry.preflight.finding import Status
from tenantry.preflight.probe import objects, run
from tenantry.preflight.probe.observations import Observations
from tests.example_platform import EXAMPLE
from tests.recorded_cluster import RecordedCluster, recorded

SETTINGS = PlatformSettings(image="registry.example/service:1")
FAILED_INSIDE = "command terminated with exit code 1"
FORBIDDEN = 'pods "privileged" is forbidden: violates PodSecurity "restricted:latest"'


class FakeCluster:
    """Two pods, and a network that enforces policies in the given directions.

    Attributes:
        namespaces: those that exist.
        images: of the pods that were created.
    """

    context = "fake"

    def __init__(self, *, enforces: tuple[str, ...] = ("Ingress", "Egress"), waiting: str = "") -> None:
        self.enforces, self.waiting = enforces, waiting
        self.namespaces: set[str] = set()
        self.policies: dict[str, Any] = {}
        self.pods: dict[str, Any] = {}
        self.is_reachable = True
        self.resolves = True
        self.forbids = ""
        self.on_pods: Any = lambda: None

    def server(self) -> str:
        return "https://192.0.2.1"

    def get(self, *_arguments: str) -> Any:
        self.on_pods()
        ready = {"conditions": [{"type": "Ready", "status": "False" if self.waiting else "True"}], "podIP": "10.0.0.1"}
        state = {"waiting": {"reason": self.waiting, "message": "no such image"}} if self.waiting else {"running": {}}
        status = {**ready, "containerStatuses": [{"state": state}]}
        return {"items": [{**pod, "status": status} for pod in self.pods.values()]}

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        done = self.try_run(*arguments, stdin=stdin)
        if done.returncode:
            raise CommandError(done.stderr)
        return done.stdout

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        match arguments:
            case ("create", "--dry-run=server", *_):
                return _done(code=1, stderr=FORBIDDEN)
            case ("create", *_) if self.forbids:
                return _done(code=1, stderr=f"Error from server ({self.forbids}): namespaces")
            case ("create", *_):
                self._create(json.loads(stdin or ""))
            case ("delete", "networkpolicy", name, *_):
                del self.policies[name]
            case ("delete", "namespace", name, *_):
                self.namespaces.discard(name)
            case ("exec", *_, code) if "getaddrinfo" in code:
                return _done("10.96.0.1\n", code=0 if self.resolves else 1, stderr=FAILED_INSIDE)
            case ("exec", *_):
                return _done(code=0 if self._is_open() else 1, stderr=FAILED_INSIDE)
            case ("get", kind, *_):
                found = {"serviceaccount": ["default"], "namespaces": sorted(self.namespaces)}[kind]
                return _done("".join(f"{kind.removesuffix('s')}/{each}\n" for each in found))
            case _:
                raise AssertionError(f"unexpected call of kubectl: {arguments}")
        return _done()

    def _create(self, item: dict[str, Any]) -> None:
        name = item["metadata"]["name"]
        if item["kind"] == "Namespace":
            self.namespaces.add(name)
        elif item["kind"] == "Pod":
            self.pods[name] = item
        else:
            self.policies[name] = item

    def _is_open(self) -> bool:
        effective = {kind for each in self.policies.values() for kind in each["spec"]["policyTypes"]}
        return self.is_reachable and not effective & set(self.enforces)


def _done(stdout: str = "", *, code: int = 0, stderr: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess((), code, stdout, stderr)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("START_SECONDS", "EFFECT_SECONDS", "_POLL_SECONDS"):
        monkeypatch.setattr(run, name, 0.0)


def _observe(
    monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster, stop: threading.Event | None = None
) -> Observations:
    monkeypatch.setattr(run, "_Shielded", lambda **_: cluster)
    return run.observe(
        Kubectl(kubeconfig=None, context="fake"), SETTINGS, "registry.example/service:1", stop=stop or threading.Event()
    )


def _statuses(observed: Observations) -> list[Status]:
    return [each.status for each in observed.enforcement("required", "runs x")]


def test_policies_that_work_are_observed_with_a_positive_control(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    observed = _observe(monkeypatch, cluster)
    assert (observed.before, observed.ingress_denied, observed.after_ingress, observed.egress_denied) == (True,) * 4
    assert observed.privileged_refused
    assert observed.resolved == "10.96.0.1"
    assert _statuses(observed) == [Status.OK]
    assert (cluster.namespaces, cluster.policies) == (set(), {})


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_a_direction_without_effect_blocks(monkeypatch: pytest.MonkeyPatch, direction: str) -> None:
    observed = _observe(monkeypatch, FakeCluster(enforces=tuple({"Ingress", "Egress"} - {direction})))
    (finding,) = observed.enforcement("required", "runs x")
    assert finding.status is Status.BLOCKING
    assert f"denies {direction.lower()} had no effect" in finding.found


def test_a_connection_that_never_works_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a broken network would pass for an enforced policy."""
    cluster = FakeCluster()
    cluster.is_reachable = False
    assert _statuses(_observe(monkeypatch, cluster)) == [Status.UNKNOWN]


def test_an_image_that_cannot_be_pulled_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(waiting="ImagePullBackOff")
    observed = _observe(monkeypatch, cluster)
    pull = observed.pull("required")
    assert (pull.status, pull.found) == (Status.FAILED, "ImagePullBackOff: no such image")
    assert _statuses(observed) == [Status.UNKNOWN]
    assert observed.dns("required") is None
    assert cluster.namespaces == set()


def test_pods_that_stay_unready_are_reported_with_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    observed = _observe(monkeypatch, FakeCluster(waiting="ContainerCreating"))
    assert "not ready after 0 s" in observed.not_started
    assert "ContainerCreating" in observed.not_started


def test_names_that_do_not_resolve_block(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    cluster.resolves = False
    finding = _observe(monkeypatch, cluster).dns("required")
    assert finding is not None
    assert finding.status is Status.BLOCKING


@pytest.mark.parametrize("error", [CommandError("kubectl failed"), KeyboardInterrupt(), ZeroDivisionError()])
def test_everything_is_deleted_whatever_happens(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    cluster = FakeCluster()

    def fail() -> None:
        assert len(cluster.namespaces) == 1
        raise error

    cluster.on_pods = fail
    with pytest.raises(type(error)):
        _observe(monkeypatch, cluster)
    assert cluster.namespaces == set()


@pytest.mark.parametrize(("reason", "deletes"), [("Forbidden", False), ("Timeout", True)])
def test_a_namespace_that_was_not_created_is_deleted_unless_the_server_refused_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reason: str,
    deletes: bool,  # noqa: FBT001
) -> None:
    """After a time-out it may exist."""
    cluster = FakeCluster()
    cluster.forbids = reason
    with pytest.raises(CommandError, match=reason):
        _observe(monkeypatch, cluster)
    assert ("deleting namespace" in capsys.readouterr().err) is deletes


def test_a_stopped_probe_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, stop = FakeCluster(waiting="ContainerCreating"), threading.Event()
    cluster.on_pods = stop.set
    monkeypatch.setattr(run, "START_SECONDS", 60.0)
    with pytest.raises(InterruptedByUserError):
        _observe(monkeypatch, cluster, stop)
    assert cluster.namespaces == set()


def test_ctrl_c_deletes_everything_and_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal arrives while the pods start."""
    cluster = FakeCluster(waiting="ContainerCreating")
    cluster.on_pods = lambda: os.kill(os.getpid(), signal.SIGINT)
    monkeypatch.setattr(run, "START_SECONDS", 60.0)
    monkeypatch.setattr(run, "_Shielded", lambda **_: cluster)
    monkeypatch.setattr(Kubectl, "find", lambda *_: RecordedCluster(recorded("gke")))
    monkeypatch.setenv("CONFIRM", "recorded")
    done = CliRunner().invoke(app, ["preflight", "--probe", "--file", str(EXAMPLE)])
    assert done.exit_code == 130, done.output
    assert cluster.namespaces == set()
    assert cluster.pods


def test_a_probe_is_confirmed_by_the_name_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    monkeypatch.setattr(run, "_Shielded", lambda **_: cluster)
    monkeypatch.setattr(Kubectl, "find", lambda *_: RecordedCluster(recorded("gke")))
    monkeypatch.setenv("CONFIRM", "another")
    done = CliRunner().invoke(app, ["preflight", "--probe", "--file", str(EXAMPLE)])
    assert done.exit_code == 2
    assert "CONFIRM=recorded" in done.stderr
    assert cluster.pods == {}


def test_a_probe_names_what_an_earlier_one_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may belong to a probe that runs at this moment, so it is not deleted."""
    cluster = FakeCluster()
    cluster.namespaces.add("tenantry-preflight-old")
    _observe(monkeypatch, cluster)
    assert "kubectl delete namespace tenantry-preflight-old" in capsys.readouterr().err
    assert cluster.namespaces == {"tenantry-preflight-old"}


@pytest.mark.parametrize("fixed", [True, False])
def test_the_pods_have_the_security_settings_of_the_tenants(fixed: bool) -> None:  # noqa: FBT001
    spec = objects.pod(objects.CLIENT, "space", "image:1", fixed_user=fixed)["spec"]
    assert spec["securityContext"].get("runAsUser") == (1000 if fixed else None)
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] > 0
