"""`tenantry apply`: what it applies, what it skips, and what it says before."""

from pathlib import Path
from typing import Any

import pytest

from tenantry.cluster.applying.record import ANNOTATION
from tests.unit.tenantry.commands.applying import ROLE, TENANT, Cluster, an_object, dist_with, run_apply


def test_a_second_apply_does_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing has changed, nothing is asked and nothing is applied."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT, ROLE)
    assert run_apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]
    done = run_apply(monkeypatch, cluster, dist, confirm="")
    assert (done.exit_code, cluster.changes) == (0, [])
    assert "nothing changed" in done.stdout
    assert "skipping 1 of 1 tenants" in done.stderr


@pytest.mark.parametrize("edited", [True, False])
def test_a_change_on_the_cluster_is_applied_over(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    edited: bool,  # noqa: FBT001
) -> None:
    """The file is as it was, and the tenant is applied again."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT, ROLE)
    run_apply(monkeypatch, cluster, dist)
    if edited:
        cluster.add(ROLE, "kubectl-edit")
    else:
        del cluster.live["rbac.authorization.k8s.io/v1/Role"]
    done = run_apply(monkeypatch, cluster, dist)
    reason = "was changed on the cluster: rbac.authorization.k8s.io/v1/Role tenant-a/reads"
    assert f"to apply: tenant-a {reason}" in done.stderr
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_a_record_that_cannot_be_read_is_as_no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tenant is applied."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT)
    run_apply(monkeypatch, cluster, dist)
    cluster.annotate("tenant-a", ANNOTATION, "[]")
    assert "has no record" in run_apply(monkeypatch, cluster, dist).stderr
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_all_applies_every_tenant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Although nothing has changed."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT)
    run_apply(monkeypatch, cluster, dist)
    assert run_apply(monkeypatch, cluster, dist, "--all").exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_a_tenant_with_a_refused_object_is_not_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The next apply tries it again, and does not repeat the others."""
    dist_with(tmp_path, an_object("tenant-b"), tenant="tenant-b")
    cluster, dist = Cluster(refused="reads"), dist_with(tmp_path, TENANT, ROLE)
    failed = run_apply(monkeypatch, cluster, dist)
    assert failed.exit_code == 1
    assert "the server refused it" in failed.stderr
    cluster.refused = ""
    assert run_apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


@pytest.mark.parametrize("by_variable", [True, False])
def test_dry_run_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    by_variable: bool,  # noqa: FBT001
) -> None:
    """It prints what would be deleted, also when the context is confirmed."""
    if by_variable:
        monkeypatch.setenv("DRY_RUN", "1")
    cluster = Cluster("namespace/tenant-b pruned (dry run)")
    cluster.add(an_object("tenant-b"))
    done = run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT), *(() if by_variable else ("--dry-run",)))
    assert done.stdout.split() == ["namespace/tenant-b"]
    assert cluster.changes == []


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([], "must contain the Namespace tenant-a"),
        ([ROLE], "must contain the Namespace tenant-a"),
        ([TENANT, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}], "Secret s does not have"),
        ([TENANT, an_object("tenant-b", "Secret", name="s")], "app.kubernetes.io/instance=tenant-a"),
    ],
)
def test_a_file_that_would_do_harm_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, objects: list[dict[str, Any]], says: str
) -> None:
    """A tenant without a namespace, or an object that pruning could not find again."""
    cluster = Cluster()
    refused = run_apply(monkeypatch, cluster, dist_with(tmp_path, *objects))
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert cluster.calls == []


def test_pods_of_an_earlier_version_are_labelled_before_the_services_select_by_that_label(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise the Services would have no endpoints until new pods are ready."""
    own = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}
    cluster = Cluster()
    cluster.old_pods = [
        {"metadata": {"name": "p1", "namespace": "tenant-a", "labels": own}},
        {"metadata": {"name": "p2", "namespace": "tenant-a", "labels": own}},
        {"metadata": {"name": "elsewhere", "namespace": "other", "labels": own}},
    ]
    done = run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT))
    assert done.exit_code == 0, done.output
    assert "labelling 2 pods of tenant-a" in done.stderr
    (labelled,) = (call for call in cluster.calls if call[0] == "label")
    assert labelled == (
        *("label", "pods", "--namespace", "tenant-a", "--selector"),
        "app.kubernetes.io/name=ml-inference,app.kubernetes.io/instance=tenant-a,!tenantry.dev/tenant",
        "tenantry.dev/tenant=tenant-a",
    )
    assert cluster.calls.index(labelled) < min(cluster.calls.index(call) for call in cluster.changes)


def test_a_dry_run_labels_no_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It changes nothing, whatever the pods are."""
    cluster = Cluster("namespace/tenant-b pruned (dry run)")
    own = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}
    cluster.old_pods = [{"metadata": {"name": "p1", "namespace": "tenant-a", "labels": own}}]
    assert run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT), "--dry-run").exit_code == 0
    assert not any(call[0] == "label" for call in cluster.calls)
