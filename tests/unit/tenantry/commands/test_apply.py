"""`tenantry apply`: what it refuses, what it says before, and what it hands to kubectl."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tenantry.cluster.kubectl import Kubectl
from tenantry.commands import apply as module

LABELS = {"app.kubernetes.io/managed-by": "tenantry", "app.kubernetes.io/name": "ml-inference"}
TENANT = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant-a", "labels": LABELS}}


class Recorder:
    """Stands in kubectl's place: remembers its arguments, and says that `prunable` would go."""

    context = "kind-test"

    def __init__(self, prunable: str = "", *, different: bool = True, routes: bool = False) -> None:
        self.prunable, self.different, self.calls = prunable, different, list[tuple[str, ...]]()
        self.routes = routes
        self.old_pods: list[dict[str, Any]] = []

    def require_reachable(self) -> None:
        """It is."""

    def server(self) -> str:
        """Where it would be."""
        return "https://127.0.0.1:6443"

    def run(self, *arguments: str) -> str:
        """Remember, and answer as kubectl would."""
        self.calls.append(arguments)
        if "--dry-run=client" in arguments:
            return self.prunable if module.TENANTS in arguments else ""
        return "namespace/tenant-a unchanged\n"

    def serves(self, group: str) -> bool:
        """Whether the cluster has Gateway API."""
        return self.routes and group == "gateway.networking.k8s.io"

    def get(self, *_arguments: str) -> Any:
        """The pods without the tenant's label."""
        return {"items": self.old_pods}

    def differs(self, _manifests: Path) -> bool:
        """Whether the cluster differs from dist/."""
        return self.different

    @property
    def changes(self) -> list[tuple[str, ...]]:
        """Calls that change something."""
        return [call for call in self.calls if call[0] == "apply" and "--dry-run=client" not in call]


def _dist(folder: Path, *objects: dict[str, Any]) -> Path:
    (folder / "tenant-a.k8s.yaml").write_text(yaml.safe_dump_all(objects), "utf-8")
    return folder


def _apply(monkeypatch: pytest.MonkeyPatch, kubectl: Recorder, dist: Path, *flags: str, confirm: str = "") -> Result:
    monkeypatch.setattr(Kubectl, "find", lambda *_: kubectl)
    monkeypatch.setenv("CONFIRM", confirm)
    monkeypatch.setenv("SKIP_PREFLIGHT", "the recorder has no API")
    return CliRunner().invoke(app, ["apply", "--dist", str(dist), *flags])


def test_a_second_apply_does_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where `kubectl diff` finds nothing, and nothing goes, nothing is asked and nothing is applied."""
    kubectl = Recorder(different=False)
    done = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT))
    assert (done.exit_code, kubectl.changes) == (0, [])
    assert "nothing changed" in done.stdout


def test_both_passes_prune_by_their_own_lists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tenant's Namespace may be pruned, the platform's never."""
    kubectl = Recorder()
    done = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), confirm="kind-test")
    assert done.exit_code == 0, done.output
    platform, tenants = kubectl.changes
    assert all("--prune" in call for call in kubectl.changes)
    assert "--prune-allowlist=core/v1/Namespace" in tenants
    assert "--prune-allowlist=core/v1/Namespace" not in platform


@pytest.mark.parametrize("routes", [True, False])
def test_routes_are_pruned_on_a_cluster_that_knows_them(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    routes: bool,  # noqa: FBT001
) -> None:
    """The program kubectl fails if it is to prune a kind that the cluster does not have."""
    kubectl = Recorder(routes=routes)
    assert _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), confirm="kind-test").exit_code == 0
    _, tenants = kubectl.changes
    assert ("--prune-allowlist=gateway.networking.k8s.io/v1/HTTPRoute" in tenants) is routes


def test_a_tenant_goes_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its name in CONFIRM nothing is changed; with it, it is waited for until it is gone."""
    dist, gone = _dist(tmp_path, TENANT), "namespace/tenant-b pruned (dry run)\nrole.rbac.authorization.k8s.io/r pruned"
    kubectl = Recorder(gone)
    refused = _apply(monkeypatch, kubectl, dist, confirm="kind-test")
    assert refused.exit_code == 2
    assert "tenant-b would be deleted from context kind-test" in refused.stderr
    assert 'CONFIRM="kind-test tenant-b"' in refused.stderr
    assert kubectl.changes == []
    done = _apply(monkeypatch, kubectl, dist, confirm="kind-test,tenant-b")
    assert done.exit_code == 0, done.output
    assert kubectl.calls[-1][:3] == ("wait", "--for=delete", "namespace/tenant-b")


def test_the_context_is_asked_for_even_if_the_tenant_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tenant's name alone does not say which cluster is meant."""
    kubectl = Recorder("namespace/tenant-b pruned (dry run)")
    refused = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), confirm="tenant-b")
    assert refused.exit_code == 2
    assert "CONFIRM=kind-test" in refused.stderr
    assert kubectl.changes == []


def test_dry_run_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It prints what would go."""
    kubectl = Recorder("namespace/tenant-b pruned (dry run)")
    done = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), "--dry-run")
    assert done.stdout.split() == ["namespace/tenant-b"]
    assert kubectl.changes == []


def test_the_variable_dry_run_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DRY_RUN=1 is --dry-run, also when the context is confirmed."""
    monkeypatch.setenv("DRY_RUN", "1")
    kubectl = Recorder("namespace/tenant-b pruned (dry run)")
    done = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), confirm="kind-test,tenant-b")
    assert (done.exit_code, kubectl.changes) == (0, [])


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([], "every tenant would be deleted"),
        (
            [TENANT, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}],
            "Secret s does not have",
        ),
    ],
)
def test_a_folder_that_would_do_harm_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, objects: list[dict[str, Any]], says: str
) -> None:
    """No tenant at all, or an object that pruning could not know again."""
    kubectl = Recorder()
    refused = _apply(monkeypatch, kubectl, _dist(tmp_path, *objects), confirm="kind-test")
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert kubectl.calls == []


def test_pods_of_an_earlier_version_are_labelled_before_the_services_select_by_that_label(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise the Services would have no endpoints until new pods are ready."""
    own = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}
    kubectl = Recorder()
    kubectl.old_pods = [
        {"metadata": {"name": "p1", "namespace": "tenant-a", "labels": own}},
        {"metadata": {"name": "p2", "namespace": "tenant-a", "labels": own}},
        {"metadata": {"name": "elsewhere", "namespace": "other", "labels": own}},
    ]
    done = _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), confirm="kind-test")
    assert done.exit_code == 0, done.output
    assert "labelling 2 pods of tenant-a" in done.stderr
    (labelled,) = (call for call in kubectl.calls if call[0] == "label")
    assert labelled == (
        *("label", "pods", "--namespace", "tenant-a", "--selector"),
        "app.kubernetes.io/name=ml-inference,app.kubernetes.io/instance=tenant-a,!tenantry.dev/tenant",
        "tenantry.dev/tenant=tenant-a",
    )
    assert kubectl.calls.index(labelled) < min(kubectl.calls.index(call) for call in kubectl.changes)


def test_a_dry_run_labels_no_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It changes nothing, whatever the pods are."""
    kubectl = Recorder("namespace/tenant-b pruned (dry run)")
    own = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}
    kubectl.old_pods = [{"metadata": {"name": "p1", "namespace": "tenant-a", "labels": own}}]
    assert _apply(monkeypatch, kubectl, _dist(tmp_path, TENANT), "--dry-run").exit_code == 0
    assert not any(call[0] == "label" for call in kubectl.calls)
