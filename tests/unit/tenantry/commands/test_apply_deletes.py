"""`tenantry apply`: what it deletes, and what it refuses to delete."""

from pathlib import Path

import pytest

from constructs_lib.names import added_labels
from tenantry.cluster.applying.kinds import BASELINE, NAMESPACE, PLATFORM, TENANT_KINDS
from tests.unit.tenantry.commands.applying import ROLE, TENANT, Cluster, an_object, dist_with, run_apply


def test_the_platform_is_applied_without_its_namespace_in_the_list_of_what_is_pruned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The monitoring namespace can never be deleted."""
    cluster = Cluster(different=True)
    assert run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT)).exit_code == 0
    platform = next(each for each in cluster.changes if PLATFORM in each)
    assert "--prune" in platform
    assert f"--prune-allowlist={NAMESPACE}" not in platform
    assert not any("tenant-a" in each for each in platform)


def test_nothing_is_pruned_where_nothing_can_be_surplus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program kubectl deletes only when it is called with --prune."""
    cluster = Cluster()
    run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT, ROLE))
    assert cluster.prunes == []


def test_what_left_a_file_is_pruned_by_its_tenant_and_its_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No other tenant and no other kind can be affected."""
    cluster, dist = Cluster("role.rbac.authorization.k8s.io/reads pruned (dry run)"), dist_with(tmp_path, TENANT, ROLE)
    dist_with(tmp_path, an_object("tenant-b"), tenant="tenant-b")
    cluster.prunable = ""
    run_apply(monkeypatch, cluster, dist)
    dist_with(tmp_path, TENANT)
    cluster.prunable = "role.rbac.authorization.k8s.io/reads pruned (dry run)"
    done = run_apply(monkeypatch, cluster, dist)
    assert "to delete: role.rbac.authorization.k8s.io reads" in done.stderr
    (call,) = cluster.prunes
    assert any("app.kubernetes.io/instance in (tenant-a)" in each for each in call)
    assert [each for each in call if each.startswith("--prune-allowlist")] == [
        "--prune-allowlist=rbac.authorization.k8s.io/v1/Role"
    ]


BASELINE_POLICY = {
    "apiVersion": "policy.networking.k8s.io/v1alpha2",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "tenantry-baseline-tenant-a", "labels": added_labels("tenant-a")},
}


def test_the_baseline_of_a_tenant_is_deleted_when_it_is_turned_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The tenant stays as it is."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT, BASELINE_POLICY)
    run_apply(monkeypatch, cluster, dist)
    dist_with(tmp_path, TENANT)
    cluster.prunable = "clusternetworkpolicy.policy.networking.k8s.io/tenantry-baseline-tenant-a pruned (dry run)"
    assert run_apply(monkeypatch, cluster, dist).exit_code == 0
    (call,) = cluster.prunes
    assert [each for each in call if each.startswith("--prune-allowlist")] == [f"--prune-allowlist={BASELINE}"]


@pytest.mark.parametrize("baseline", [True, False])
def test_a_tenant_is_deleted_with_its_baseline_if_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    baseline: bool,  # noqa: FBT001
) -> None:
    """It belongs to no namespace; kubectl would refuse the kind on a cluster that does not know it."""
    dist_with(tmp_path, an_object("tenant-b"), tenant="tenant-b")
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT, *([BASELINE_POLICY] if baseline else []))
    run_apply(monkeypatch, cluster, dist)
    (tmp_path / "tenant-a.k8s.yaml").unlink()
    cluster.prunable = "namespace/tenant-a pruned (dry run)"
    assert run_apply(monkeypatch, cluster, dist, confirm="kind-test tenant-a").exit_code == 0
    (call,) = cluster.prunes
    assert f"--prune-allowlist={NAMESPACE}" in call
    assert (f"--prune-allowlist={BASELINE}" in call) is baseline
    assert any("app.kubernetes.io/instance in (tenant-a,tenant-b)" in each for each in call)


def test_an_object_that_kubectl_did_not_apply_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As kubectl does, although it has our labels."""
    cluster, dist = Cluster(), dist_with(tmp_path, TENANT)
    cluster.add(ROLE, applied=False)
    assert run_apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.prunes == []


def test_a_tenant_is_deleted_only_if_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its name in CONFIRM nothing is changed; with it, the command waits until it is deleted."""
    dist, gone = dist_with(tmp_path, TENANT), "namespace/tenant-b pruned (dry run)"
    cluster = Cluster(gone)
    cluster.add(an_object("tenant-b"))
    refused = run_apply(monkeypatch, cluster, dist)
    assert refused.exit_code == 2
    assert "tenant-b would be deleted from context kind-test" in refused.stderr
    assert 'CONFIRM="kind-test tenant-b"' in refused.stderr
    assert cluster.changes == []
    done = run_apply(monkeypatch, cluster, dist, confirm="kind-test,tenant-b")
    assert done.exit_code == 0, done.output
    assert cluster.calls[-1][:3] == ("wait", "--for=delete", "namespace/tenant-b")
    assert any("app.kubernetes.io/instance in (tenant-a,tenant-b)" in each for each in cluster.prunes[0])
    assert f"--prune-allowlist={NAMESPACE}" in cluster.prunes[0]


def test_the_context_is_asked_for_even_if_the_tenant_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tenant's name alone does not say which cluster is meant."""
    cluster = Cluster("namespace/tenant-b pruned (dry run)")
    cluster.add(an_object("tenant-b"))
    refused = run_apply(monkeypatch, cluster, dist_with(tmp_path, TENANT), confirm="tenant-b")
    assert refused.exit_code == 2
    assert "CONFIRM=kind-test" in refused.stderr
    assert cluster.changes == []


@pytest.mark.parametrize("other", [None, "platform.yaml"])
def test_a_folder_that_would_delete_every_tenant_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str | None
) -> None:
    """No tenant, or a file that is not of `tenantry synth`."""
    if other:
        (tmp_path / other).write_text("{}")
    cluster = Cluster()
    refused = run_apply(monkeypatch, cluster, tmp_path)
    assert refused.exit_code == 2
    assert ("is not one of the .k8s.yaml files" if other else "every tenant would be deleted") in refused.stderr
    assert cluster.calls == []


def test_the_folder_of_several_clusters_is_refused_and_the_message_names_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each cluster has its own."""
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        dist_with(tmp_path / name, TENANT)
    cluster = Cluster()
    refused = run_apply(monkeypatch, cluster, tmp_path)
    assert refused.exit_code == 2
    assert f"name one of them: {tmp_path}/east, {tmp_path}/west" in refused.stderr
    assert cluster.calls == []


def test_every_kind_that_is_pruned_is_one_that_is_compared() -> None:
    """Names of kinds have a group, a version and a kind."""
    assert all(each.count("/") == 2 for each in TENANT_KINDS)
