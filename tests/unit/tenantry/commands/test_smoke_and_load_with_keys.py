"""`tenantry smoke` and `tenantry load` with a tenant that requires API keys.

Requests go to the service itself; kubectl is a stand-in that records what it is asked.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner, Result

from inference import api_keys
from inference.api_keys import ApiKey
from tenantry.cli import app
from tenantry.cluster import load_job
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError
from tests.example_platform import EXAMPLE
from tests.models import write_tiny_model
from tests.service import Service, service

KEY, EXPIRED = api_keys.new_key(), api_keys.new_key()
KUBECTL = Kubectl(kubeconfig=None, context="test")
REFUSED = [
    ("", "the request had no key, or one that is not valid (status 401)"),
    ("tnt_wrong", "the request had no key, or one that is not valid (status 401)"),
    (EXPIRED, "the request had a key that has expired (status 403)"),
]
"""Keys, and what the message says about them."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that requires API keys."""
    folder = tmp_path_factory.mktemp("service")
    keys = folder / "keys"
    keys.mkdir()
    for caller, key, expires in (("shop", KEY, None), ("late", EXPIRED, datetime(2020, 1, 1, tzinfo=UTC))):
        (keys / caller).write_text(api_keys.entry_text([ApiKey(api_keys.digest_of(key.encode()), expires)]))
    with service(write_tiny_model(folder / "model"), folder / "log", api_keys_dir=keys) as started:
        yield started


@pytest.fixture(autouse=True)
def _reachable_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTRY_API_KEY", raising=False)
    monkeypatch.setattr(Kubectl, "find", lambda *_: KUBECTL)
    monkeypatch.setattr(Kubectl, "require_reachable", lambda _: None)


def says_what_to_do(message: str) -> bool:
    """Whether a message names the tenant, the rule and the command, and contains no key."""
    expected = ("tenant-a requires an API key", "`tenantry keys tenant-a add NAME`", "TENANTRY_API_KEY")
    return all(each in message for each in expected) and "tnt_" not in message


def platform_file(folder: Path, *keyed: str) -> Path:
    """The example, in which these tenants require keys."""
    document = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for tenant in document["tenants"]:
        if tenant["name"] in keyed:
            tenant["auth"] = "apiKeys"
    file = folder / "platform.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def smoke(monkeypatch: pytest.MonkeyPatch, running: Service, file: Path, *arguments: str) -> Result:
    """Run the command; every tenant's Service is the one that requires keys."""

    @contextmanager
    def forward(*_: Any) -> Iterator[int]:
        yield running.port

    monkeypatch.setattr(Kubectl, "port_forward", forward)
    return CliRunner().invoke(app, ["smoke", "--file", str(file), *arguments])


def test_smoke_sends_the_key_of_the_variable_or_of_the_file(
    monkeypatch: pytest.MonkeyPatch, running: Service, tmp_path: Path
) -> None:
    key = tmp_path / "key.txt"
    key.write_text(f"{KEY}\n")
    of_file = smoke(monkeypatch, running, EXAMPLE, "--tenant", "tenant-a", "--api-key", str(key))
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    of_variable = smoke(monkeypatch, running, EXAMPLE, "--tenant", "tenant-a")
    for done in (of_file, of_variable):
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith('tenant-a: {"prediction":')
        assert KEY not in done.output


@pytest.mark.parametrize(("key", "reason"), REFUSED)
def test_smoke_says_that_a_key_is_required_and_how_to_create_one(
    monkeypatch: pytest.MonkeyPatch, running: Service, tmp_path: Path, key: str, reason: str
) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", key)
    done = smoke(monkeypatch, running, platform_file(tmp_path, "tenant-a"), "--tenant", "tenant-a")
    assert done.exit_code == 1
    assert reason in done.stdout
    assert says_what_to_do(done.output)


def test_smoke_sends_the_key_only_to_the_tenant_that_requires_one(
    monkeypatch: pytest.MonkeyPatch, running: Service, tmp_path: Path
) -> None:
    """The other tenant's answer shows that its request had no key."""
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    done = smoke(monkeypatch, running, platform_file(tmp_path, "tenant-b"), "--format", "json")
    answers = {each["tenant"]: (each["ok"], each["body"]) for each in json.loads(done.stdout)}
    assert answers["tenant-b"][0] is True
    assert answers["tenant-a"][0] is False
    assert says_what_to_do(answers["tenant-a"][1])


def test_smoke_sends_no_key_if_several_tenants_were_asked_and_none_requires_one(
    monkeypatch: pytest.MonkeyPatch, running: Service
) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    done = smoke(monkeypatch, running, EXAMPLE, "--format", "json")
    assert [each["ok"] for each in json.loads(done.stdout)] == [False, False]


def test_smoke_refuses_one_key_for_several_tenants(
    monkeypatch: pytest.MonkeyPatch, running: Service, tmp_path: Path
) -> None:
    """It would tell one tenant the key of another."""
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    done = smoke(monkeypatch, running, platform_file(tmp_path, "tenant-a", "tenant-b"))
    assert done.exit_code == 2
    assert "tenant-a, tenant-b require API keys, and a key is for one tenant: name it with --tenant" in done.stderr
    assert done.stdout == ""


class FakeKubectl:
    """Records every call, and answers as kubectl does for a Job whose pods have ended.

    Attributes:
        calls: The arguments and the standard input of each call.
        failing: The verb and kind that fail, as in `create Secret`.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, logs: str = "", failing: str = "") -> None:
        self.calls: list[tuple[str, str]] = []
        self.logs, self.failing = logs, failing
        monkeypatch.setattr(subprocess, "run", self._run)

    def _run(self, command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        asked, given = " ".join(command), options.get("input") or ""
        self.calls.append((asked, given))
        kind = json.loads(given)["kind"] if given else ""
        if kind and self.failing == f"create {kind}":
            return subprocess.CompletedProcess(command, 1, "", "forbidden")
        container = {"image": "service:1"}
        deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
        answers = {
            " create ": "uid-of-the-job",
            " get deployment ": json.dumps(deployment),
            " get hpa ": "{}",
            " get job ": json.dumps({"status": {"failed": 1}}),
            " logs ": self.logs,
        }
        said = next((answer for part, answer in answers.items() if part in asked), "")
        return subprocess.CompletedProcess(command, 0, said, "")

    @property
    def created(self) -> list[dict[str, Any]]:
        """The objects, in order."""
        return [json.loads(given) for asked, given in self.calls if " create " in asked]

    @property
    def deleted(self) -> list[str]:
        """The arguments of each deletion."""
        return [asked.partition(" delete ")[2] for asked, _ in self.calls if " delete " in asked]


def run_load(monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("CONFIRM", "test")
    return CliRunner().invoke(app, ["load", "tenant-a", "--seconds", "10", "--file", str(EXAMPLE)])


def test_the_key_of_a_load_is_in_a_secret_that_the_job_owns_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not in the Job, and not in the arguments of kubectl, which other users of the machine can read."""
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    cluster = FakeKubectl(monkeypatch)
    done = run_load(monkeypatch)
    job, secret = cluster.created
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (job["kind"], secret["kind"], secret["metadata"]["namespace"]) == ("Job", "Secret", "tenant-a")
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", job["metadata"]["name"], "uid-of-the-job")
    assert [given for _, given in cluster.calls if KEY in given] == [json.dumps(secret)]
    assert not [asked for asked, _ in cluster.calls if KEY in asked]
    assert KEY not in done.output
    for manifest in (job, secret):
        kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_the_load_pods_read_the_key_from_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    cluster = FakeKubectl(monkeypatch)
    run_load(monkeypatch)
    job, secret = cluster.created
    (variable,) = job["spec"]["template"]["spec"]["containers"][0]["env"]
    reference = variable["valueFrom"]["secretKeyRef"]
    assert (variable["name"], reference["name"]) == ("TENANTRY_API_KEY", secret["metadata"]["name"])
    assert secret["stringData"] == {reference["key"]: KEY}


@pytest.mark.parametrize("failing", ["", "create Secret"])
def test_the_secret_is_deleted_with_the_job_however_the_load_ends(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    monkeypatch.setenv("TENANTRY_API_KEY", KEY)
    cluster = FakeKubectl(monkeypatch, failing=failing)
    assert run_load(monkeypatch).exit_code == 1
    (deleted,) = cluster.deleted
    assert deleted.startswith("job/tenantry-load secret/tenantry-load --namespace tenant-a")


def test_without_a_key_a_load_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeKubectl(monkeypatch)
    run_load(monkeypatch)
    (job,) = cluster.created
    assert "env" not in job["spec"]["template"]["spec"]["containers"][0]
    assert "secret" not in cluster.deleted[0]


def send(running: Service, key: str) -> "subprocess.CompletedProcess[str]":
    """Run the load pod's program for a moment against the service."""
    order = {"host": "127.0.0.1", "port": running.port, "path": "/predict", "rate": 20, "connections": 2}
    order |= {"seconds": 0.2, "characters": 20, "requests_per_connection": 0, "latencies": False}
    return subprocess.run(
        [sys.executable, load_job.SCRIPT, json.dumps(order)],
        env={**os.environ, "TENANTRY_API_KEY": key},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_load_pod_sends_its_key(running: Service) -> None:
    done = send(running, KEY)
    counted, ended = load_job.add_up(done.stdout)
    assert (done.returncode, ended, set(counted)) == (0, 1, {"200"}), done.stderr
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(("key", "reason"), REFUSED)
def test_a_load_without_a_valid_key_ends_at_once_and_says_how_to_create_one(
    monkeypatch: pytest.MonkeyPatch, running: Service, key: str, reason: str
) -> None:
    """The pod fails at its first answer; its log decides the message, and the command does not wait for the rest."""
    pod = send(running, key)
    assert pod.returncode == 1
    assert "Traceback" not in pod.stderr
    FakeKubectl(monkeypatch, logs=pod.stdout)
    done = run_load(monkeypatch)
    assert done.exit_code == 1
    assert reason in done.stderr
    assert says_what_to_do(done.stderr)


def test_the_load_is_not_watched_after_its_job_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would otherwise be interrupted after its first look at the autoscaler."""
    FakeKubectl(monkeypatch)
    stop = threading.Event()
    stop.set()
    assert list(load_job.watch(KUBECTL, "tenant-a", 600, stop)) == []


def test_a_key_that_stops_being_valid_during_a_load_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when all pods ran to their end."""
    line = {"second": 1, "ok": 9, "shed": 0, "failed": {"status 401": 1}, "ms": []}
    FakeKubectl(monkeypatch, logs="\n".join(json.dumps(each) for each in (line, {"done": True}, {"done": True})))
    with pytest.raises(CommandError) as caught:
        load_job.answers(KUBECTL, "tenant-a", 2, threading.Event())
    assert says_what_to_do(str(caught.value))
