"""How printed lines are prepared for a cluster and judged."""

import os
from pathlib import Path

import pytest

from tests.e2e.documented import filled, lines, run
from tests.fake_programs import FakePrograms


def test_the_lines_are_found() -> None:
    """Those of the runbook and of the operations guides, without what needs the network."""
    names = {line.document.name for line in lines()}
    assert {"runbook.md", "alert-receivers.md", "backup.md", "tenants.md"} <= names
    assert not [line for line in lines() if line.text.startswith(("helm", "terraform"))]


def test_placeholders_and_ports_are_filled() -> None:
    line = "kubectl -n tenant-a port-forward svc/tenant-a-ml-inference-svc 8000 & curl localhost:8000/readyz"
    done = filled(line, {"tenant-a": "mine", "POD": "pod-1"}, {"8000": 1234})
    assert done == "kubectl -n mine port-forward svc/mine-ml-inference-svc 1234:8000 & curl localhost:1234/readyz"
    assert filled("kubectl logs POD --previous", {"POD": "pod-1"}, {}) == "kubectl logs pod-1 --previous"


def test_a_connection_that_is_left_open_is_awaited() -> None:
    """A port-forward that ends at once would otherwise look like success."""
    done = filled("kubectl port-forward service/minio-api 9000 &", {}, {"9000": 1234})
    assert done == "kubectl port-forward service/minio-api 1234:9000 & until_open 1234"


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        ("kubectl get pods", ""),
        ("kubectl get nothing", "exit code 1: Error from server (NotFound)"),
        ("kubectl get nothing | tail -1", "exit code 1: Error from server (NotFound)"),
        ('eval "$(kubectl get nothing)"', "exit code 0: Error from server (NotFound)"),
        ("kubectl get pods | grep no-such-pod", ""),
        ("kubectl get pods | grep -c no-such-pod", "exit code 1"),
        ("kubectl get nothing | grep no-such-pod", "exit code 1: Error from server (NotFound)"),
        ("kubectl get old --previous", ""),
        ("kubectl port-forward x 1:1 & until_open 1", "exit code 1"),
    ],
)
def test_a_line_is_judged_by_its_exit_code_and_by_errors(
    line: str, failed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, dict[str, object]] = {
        "get pods": {"says": "pod/a\n"},
        "get nothing": {"complains": "Error from server (NotFound)\n", "code": 1},
        "get old": {"complains": "previous terminated container not found\n", "code": 1},
        "port-forward": {"code": 1},
    }
    path = os.environ["PATH"]
    FakePrograms(tmp_path, monkeypatch).add("kubectl", answers)
    monkeypatch.setenv("PATH", f"{tmp_path}:{path}")
    assert run(line, folder=tmp_path, environment={}).startswith(failed)
    assert bool(run(line, folder=tmp_path, environment={})) == bool(failed)


def test_changes_are_dry_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Except `rollout restart`, which has no such option."""
    path = os.environ["PATH"]
    programs = FakePrograms(tmp_path, monkeypatch)
    programs.add("kubectl")
    monkeypatch.setenv("PATH", f"{tmp_path}:{path}")
    changes = ["apply -f dist/", "-n t delete pod p", "-n t rollout undo deployment/d", "create secret generic s"]
    for arguments in changes:
        run(f"kubectl {arguments}", folder=tmp_path, environment={})
    run("kubectl rollout restart deployment/d", folder=tmp_path, environment={})
    assert programs.asked == [
        *(f"kubectl {arguments} --dry-run=server" for arguments in changes),
        "kubectl rollout restart deployment/d",
    ]
