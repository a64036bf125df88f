"""`tenantry smoke` checks predictions; `tenantry load` runs within a tenant's quota and policies."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner, Result

from constructs_lib.names import selector
from tenantry.cli import app
from tenantry.cluster import load_job, rollout
from tenantry.cluster.kubectl import Kubectl
from tenantry.commands import load, smoke
from tenantry.errors import CommandError
from tests.example_platform import EXAMPLE, example_dist

KUBECTL = Kubectl(kubeconfig=None, context="test")
DIST = example_dist()
JOB = load_job.job_manifest("tenant-a", image="service:1", pods=2, seconds=60, connections=8)


@contextmanager
def _service(status: int, body: str) -> Iterator[int]:
    """A server on the loopback that answers every POST alike; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _ask(monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> smoke.SmokeResult:
    with _service(status, body) as port:

        @contextmanager
        def forward(_self: Kubectl, namespace: str, target: str, remote: int) -> Iterator[int]:
            assert (namespace, target, remote) == ("tenant-a", "service/tenant-a-ml-inference-svc", 8000)
            yield port

        monkeypatch.setattr(Kubectl, "port_forward", forward)
        return smoke.ask(KUBECTL, "tenant-a", "hello")


def test_a_prediction_is_taken_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    body = '{"prediction":"spam","confidence":0.87}'
    assert _ask(monkeypatch, 200, body) == smoke.SmokeResult(tenant="tenant-a", ok=True, body=body)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "hello"),
        (200, '{"prediction": "spam"}'),
        (200, '{"prediction": "spam", "confidence": 1.5}'),
        (200, '{"prediction": null, "confidence": 0.5}'),
        (200, "[]"),
        (503, '{"prediction":"spam","confidence":0.87}'),
    ],
)
def test_what_is_no_prediction_fails(monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> None:
    assert not _ask(monkeypatch, status, body).ok


def test_a_tenant_that_cannot_be_reached_is_told_and_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(*_arguments: Any) -> Iterator[int]:
        raise CommandError("services not found")

    monkeypatch.setattr(Kubectl, "port_forward", forward)
    assert smoke.ask(KUBECTL, "tenant-a", "hello") == smoke.SmokeResult(
        tenant="tenant-a", ok=False, body="services not found"
    )


def test_the_tenants_of_one_of_several_clusters_are_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(
        "apiVersion: tenantry.dev/v1alpha1\nplatform: {image: registry.example/service:1}\nclusters: [east, west]\n"
        "tenants:\n  - {name: tenant-a, model: s3://models/tenant-a/spam, cluster: east}\n"
        "  - {name: tenant-b, model: s3://models/tenant-b/spam, cluster: west}\n"
    )
    monkeypatch.setattr(Kubectl, "find", lambda *_: KUBECTL)
    monkeypatch.setattr(Kubectl, "require_reachable", lambda _: None)
    monkeypatch.setattr(smoke, "ask", lambda _, name, *__: smoke.SmokeResult(tenant=name, ok=True, body="spam"))

    def asked(*options: str) -> Result:
        return CliRunner().invoke(app, ["smoke", "--file", str(file), *options])

    assert asked().stdout == "tenant-a: spam\ntenant-b: spam\n"
    assert asked("--cluster", "west").stdout == "tenant-b: spam\n"
    refused = asked("--cluster", "west", "--tenant", "tenant-a")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "has no tenant 'tenant-a' on cluster west; it has tenant-b" in refused.stderr


def test_the_load_is_a_valid_job() -> None:
    kubernetes_validate.validate(JOB, "1.34", strict=True)


def test_the_load_obeys_pod_security_restricted() -> None:
    pod = JOB["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


def test_the_load_fits_the_tenants_limits() -> None:
    documents = yaml.safe_load_all((DIST / "tenant-a.k8s.yaml").read_text(encoding="utf-8"))
    limits = next(each for each in documents if each["kind"] == "LimitRange")["spec"]["limits"][0]["max"]
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["cpu"] == limits["cpu"] == "500m"
    assert limits["memory"] == "512Mi"
    assert container["resources"]["limits"]["memory"] == "256Mi"


def test_the_load_gets_no_requests_of_the_service_itself() -> None:
    """A load pod that the Service selected would be asked for predictions."""
    labels = JOB["spec"]["template"]["metadata"]["labels"]
    assert not selector("tenant-a").items() <= labels.items()


def _send(port: int, **order: Any) -> tuple[dict[str, int], int]:
    """Run the load pod's program against a port of this machine, and add up what it printed."""
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    given = json.loads(container["command"][-1]) | {"host": "127.0.0.1", "port": port, "characters": 100, **order}
    done = subprocess.run(
        [sys.executable, load_job.SCRIPT, json.dumps(given)], capture_output=True, text=True, check=True, timeout=60
    )
    return load_job.add_up(done.stdout)


def test_a_load_pod_sends_as_fast_as_it_is_answered_and_counts() -> None:
    with _service(200, "{}") as port:
        counted, done = _send(port, seconds=0.5, connections=2)
    assert (set(counted), done) == ({"200"}, 1)
    assert counted["200"] > 0


def test_a_load_pod_counts_what_is_refused() -> None:
    with _service(429, "{}") as port:
        counted, _ = _send(port, seconds=0.2, connections=1)
    assert set(counted) == {"429"}


def test_answers_of_all_load_pods_are_added_up() -> None:
    """A line that is not a report, as of a pod that failed, adds nothing, and its pod is missing at the end."""
    second = {"second": 1, "ok": 2, "shed": 1, "failed": {"TimeoutError: ": 1}, "ms": []}
    lines = [json.dumps(each) for each in ({"first_attempts": 1}, second, second, {"done": True})]
    assert load_job.add_up("\n".join([*lines, "Traceback", json.dumps(second)])) == (
        {"200": 6, "429": 3, "TimeoutError: ": 3},
        1,
    )


def test_a_load_that_did_not_run_is_a_failure_and_not_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1: the arguments were right, and the cluster did not run the pods."""
    monkeypatch.setattr(Kubectl, "get", lambda *_: {"status": {"failed": 1}})
    monkeypatch.setattr(Kubectl, "run", lambda *_: "")
    with pytest.raises(CommandError, match="0 of 2 load pods ran to their end") as caught:
        load_job.answers(KUBECTL, "tenant-a", 2, threading.Event())
    assert caught.value.exit_code == 1


def test_a_dry_run_of_load_creates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable, also when the context is confirmed."""
    monkeypatch.setattr(Kubectl, "find", lambda *_: KUBECTL)
    monkeypatch.setattr(Kubectl, "require_reachable", lambda _: None)
    monkeypatch.setattr(Kubectl, "try_run", lambda *_, **__: pytest.fail("nothing may be created"))
    monkeypatch.setenv("DRY_RUN", "1")
    monkeypatch.setenv("CONFIRM", "test")
    done = CliRunner().invoke(app, ["load", "tenant-a", "--file", str(EXAMPLE)])
    assert done.exit_code == 0, done.output
    assert done.stdout == "would put load on tenant-a in context test for 240 s, from 2 pods\n"


def test_the_timeline_names_each_number_of_pods_once() -> None:
    moments = [
        load_job.Moment(seconds=n, ready=ready, wanted=4, cpu_percent=None) for n, ready in enumerate([2, 2, 4, 4, 2])
    ]
    assert load.replicas(moments) == ["2", "4", "2"]


def _pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (_pod(phase="Running", conditions=[{"type": "Ready", "status": "True"}]), ""),
        (
            _pod(phase="Pending", containerStatuses=[{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]),
            "ImagePullBackOff",
        ),
        (
            _pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "message": "no node fits"}]),
            "no node fits",
        ),
        (_pod(phase="Running", containerStatuses=[{"state": {"running": {}}}]), "starting"),
    ],
)
def test_a_pod_that_is_not_ready_says_why(pod: dict[str, Any], reason: str) -> None:
    assert rollout._why_not_ready(pod) == reason


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, True),
        ({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1}, False),
        ({}, False),
    ],
)
def test_a_tenant_is_ready_when_all_wanted_pods_are_new_and_ready(
    monkeypatch: pytest.MonkeyPatch, status: dict[str, int], *, ready: bool
) -> None:
    deployment: dict[str, Any] = {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}
    found = {"deployment": deployment, "pods": {"items": []}}
    monkeypatch.setattr(Kubectl, "get", lambda _self, kind, *_: found[kind])
    assert rollout.describe(KUBECTL, "tenant-a")[1] is ready


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["smoke"], "no tenant to ask: smoke sends a text"),
        (["load", "tenant-a"], "no model of tenant-a classifies texts"),
    ],
)
def test_a_tenant_whose_model_takes_no_text_is_not_asked(tmp_path: Path, command: list[str], says: str) -> None:
    """Before anything is asked of a cluster."""
    file = tmp_path / "platform.yaml"
    tenant = {"name": "tenant-a", "model": "s3://models/tenant-a/credit", "runtime": "onnx"}
    settings = {"image": "registry.example/service:1"}
    file.write_text(yaml.safe_dump({"apiVersion": "tenantry.dev/v1alpha1", "platform": settings, "tenants": [tenant]}))
    done = CliRunner().invoke(app, [*command, "--file", str(file)])
    assert done.exit_code == 2
    assert says in done.stderr


def test_load_without_a_tenant_takes_the_first_that_classifies_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kubectl, "find", lambda *_, **__: KUBECTL)
    monkeypatch.setattr(Kubectl, "require_reachable", lambda _: None)
    file = tmp_path / "platform.yaml"
    tenants = [
        {"name": "tenant-a", "model": "s3://models/tenant-a/credit", "runtime": "onnx"},
        {"name": "tenant-b", "model": "s3://models/tenant-b/spam"},
    ]
    settings = {"image": "registry.example/service:1"}
    file.write_text(yaml.safe_dump({"apiVersion": "tenantry.dev/v1alpha1", "platform": settings, "tenants": tenants}))
    done = CliRunner().invoke(app, ["load", "--file", str(file), "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "would put load on tenant-b" in done.output
