"""`tenantry apply`: what it refuses, what it says before, and what it hands to kubectl."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from constructs_lib.names import added_labels
from tenantry.cli import app
from tenantry.cluster.applying import server as api
from tenantry.cluster.applying.kinds import BASELINE, NAMESPACE, PLATFORM, TENANT_KINDS
from tenantry.cluster.applying.record import ANNOTATION, LAST_APPLIED
from tenantry.cluster.kubectl import Kubectl


def _object(tenant: str, kind: str = "Namespace", *, version: str = "v1", name: str | None = None) -> dict[str, Any]:
    metadata = {"name": name or tenant, "labels": added_labels(tenant)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata | ({"namespace": tenant} if name else {})}


TENANT = _object("tenant-a")
ROLE = _object("tenant-a", "Role", version="rbac.authorization.k8s.io/v1", name="reads")
SHARED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "monitoring", "labels": {"app.kubernetes.io/managed-by": "tenantry"}},
}


class Cluster:
    """Stands in for kubectl and the API server: remembers what it was asked, and says what would be pruned."""

    context = "kind-test"

    def __init__(self, prunable: str = "", *, different: bool = False, refused: str = "") -> None:
        self.prunable, self.different, self.refused = prunable, different, refused
        self.calls = list[tuple[str, ...]]()
        self.old_pods: list[dict[str, Any]] = []
        self.live = dict[str, dict[str, dict[str, Any]]]()

    def add(self, item: Mapping[str, Any], manager: str = "kubectl-client-side-apply", *, applied: bool = True) -> None:
        """Put an object on the cluster."""
        version = item["apiVersion"]
        kind = f"{version if '/' in version else f'core/{version}'}/{item['kind']}"
        key = f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        before = self.live.get(kind, {}).get(key, {})
        annotations = before.get("annotations", {}) | ({LAST_APPLIED: json.dumps(item)} if applied else {})
        metadata = item["metadata"] | {"annotations": annotations, "uid": "1", "managedFields": [{"manager": manager}]}
        self.live.setdefault(kind, {})[key] = metadata

    def metadata(self, kind: str, selector: str) -> list[dict[str, Any]]:
        """What the API server would list."""
        del selector
        return list(self.live.get(kind, {}).values())

    def annotate(self, namespace: str, name: str, value: str) -> None:
        """Remember an annotation."""
        self.live[NAMESPACE][f"/{namespace}"]["annotations"][name] = value

    def require_reachable(self) -> None:
        """It is."""

    def server(self) -> str:
        """Where it would be."""
        return "https://127.0.0.1:6443"

    def run(self, *arguments: str) -> str:
        """Remember, and answer as kubectl would."""
        self.calls.append(arguments)
        if "--dry-run=client" in arguments:
            return "" if PLATFORM in arguments else self.prunable
        return "namespace/monitoring unchanged\n"

    def try_run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Apply files as kubectl would, and return the objects."""
        self.calls.append(arguments)
        files = [after for before, after in pairwise(arguments) if before == "-f"]
        items = [each for file in files for each in yaml.safe_load_all(Path(file).read_text()) if each]
        accepted = [each for each in items if each["metadata"]["name"] != self.refused]
        for each in accepted:
            self.add(each)
        answers = [{**each, "metadata": self._find(each)} for each in accepted]
        failed = len(accepted) < len(items)
        text = json.dumps({"kind": "List", "items": answers})
        return subprocess.CompletedProcess(arguments, int(failed), text, "the server refused it" if failed else "")

    def _find(self, item: Mapping[str, Any]) -> dict[str, Any]:
        name, namespace = item["metadata"]["name"], item["metadata"].get("namespace", "")
        return next(objects[key] for objects in self.live.values() for key in objects if key == f"{namespace}/{name}")

    def get(self, *_arguments: str) -> Any:
        """The pods without the tenant's label."""
        return {"items": self.old_pods}

    def differs(self, _manifests: Path) -> bool:
        """Whether the cluster differs from the platform's file."""
        return self.different

    @property
    def applied(self) -> list[set[str]]:
        """The files of each call that applies tenants."""
        calls = [call for call in self.calls if "json" in call]
        return [{Path(each).name for each in call if each.endswith(".yaml")} for call in calls]

    @property
    def prunes(self) -> list[tuple[str, ...]]:
        """Calls that prune tenants' objects."""
        return [
            each for each in self.calls if "--prune" in each and "--dry-run=client" not in each and PLATFORM not in each
        ]

    @property
    def changes(self) -> list[tuple[str, ...]]:
        """Calls that change something."""
        return [call for call in self.calls if call[0] == "apply" and "--dry-run=client" not in call]


def _dist(folder: Path, *objects: dict[str, Any], tenant: str = "tenant-a") -> Path:
    (folder / f"{tenant}.k8s.yaml").write_text(yaml.safe_dump_all(objects), "utf-8")
    (folder / "0-platform.k8s.yaml").write_text(yaml.safe_dump_all([SHARED]), "utf-8")
    return folder


def _apply(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, dist: Path, *flags: str, confirm: str = "kind-test"
) -> Result:
    @contextmanager
    def connect(_: object) -> Iterator[Cluster]:
        yield cluster

    monkeypatch.setattr(Kubectl, "find", lambda *_: cluster)
    monkeypatch.setattr(api, "connect", connect)
    monkeypatch.setenv("CONFIRM", confirm)
    monkeypatch.setenv("SKIP_PREFLIGHT", "the stand-in has no API")
    cluster.calls.clear()
    return CliRunner().invoke(app, ["apply", "--dist", str(dist), *flags])


def test_a_second_apply_does_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing has changed, nothing is asked and nothing is applied."""
    cluster, dist = Cluster(), _dist(tmp_path, TENANT, ROLE)
    assert _apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]
    done = _apply(monkeypatch, cluster, dist, confirm="")
    assert (done.exit_code, cluster.changes) == (0, [])
    assert "nothing changed" in done.stdout
    assert "skipping 1 of 1 tenants" in done.stderr


def test_the_platform_is_applied_without_its_namespace_in_the_list_of_what_is_pruned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The monitoring namespace can never be deleted."""
    cluster = Cluster(different=True)
    assert _apply(monkeypatch, cluster, _dist(tmp_path, TENANT)).exit_code == 0
    platform = next(each for each in cluster.changes if PLATFORM in each)
    assert "--prune" in platform
    assert f"--prune-allowlist={NAMESPACE}" not in platform
    assert not any("tenant-a" in each for each in platform)


def test_nothing_is_pruned_where_nothing_can_be_surplus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program kubectl deletes only when it is called with --prune."""
    cluster = Cluster()
    _apply(monkeypatch, cluster, _dist(tmp_path, TENANT, ROLE))
    assert cluster.prunes == []


@pytest.mark.parametrize("edited", [True, False])
def test_a_change_on_the_cluster_is_applied_over(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    edited: bool,  # noqa: FBT001
) -> None:
    """The file is as it was, and the tenant is applied again."""
    cluster, dist = Cluster(), _dist(tmp_path, TENANT, ROLE)
    _apply(monkeypatch, cluster, dist)
    if edited:
        cluster.add(ROLE, "kubectl-edit")
    else:
        del cluster.live["rbac.authorization.k8s.io/v1/Role"]
    done = _apply(monkeypatch, cluster, dist)
    reason = "was changed on the cluster: rbac.authorization.k8s.io/v1/Role tenant-a/reads"
    assert f"to apply: tenant-a {reason}" in done.stderr
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_a_record_that_cannot_be_read_is_as_no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tenant is applied."""
    cluster, dist = Cluster(), _dist(tmp_path, TENANT)
    _apply(monkeypatch, cluster, dist)
    cluster.annotate("tenant-a", ANNOTATION, "[]")
    assert "has no record" in _apply(monkeypatch, cluster, dist).stderr
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_all_applies_every_tenant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Although nothing has changed."""
    cluster, dist = Cluster(), _dist(tmp_path, TENANT)
    _apply(monkeypatch, cluster, dist)
    assert _apply(monkeypatch, cluster, dist, "--all").exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_a_tenant_with_a_refused_object_is_not_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The next apply tries it again, and does not repeat the others."""
    _dist(tmp_path, _object("tenant-b"), tenant="tenant-b")
    cluster, dist = Cluster(refused="reads"), _dist(tmp_path, TENANT, ROLE)
    failed = _apply(monkeypatch, cluster, dist)
    assert failed.exit_code == 1
    assert "the server refused it" in failed.stderr
    cluster.refused = ""
    assert _apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.applied == [{"tenant-a.k8s.yaml"}]


def test_what_left_a_file_is_pruned_by_its_tenant_and_its_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No other tenant and no other kind can be affected."""
    cluster, dist = Cluster("role.rbac.authorization.k8s.io/reads pruned (dry run)"), _dist(tmp_path, TENANT, ROLE)
    _dist(tmp_path, _object("tenant-b"), tenant="tenant-b")
    cluster.prunable = ""
    _apply(monkeypatch, cluster, dist)
    _dist(tmp_path, TENANT)
    cluster.prunable = "role.rbac.authorization.k8s.io/reads pruned (dry run)"
    done = _apply(monkeypatch, cluster, dist)
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
    cluster, dist = Cluster(), _dist(tmp_path, TENANT, BASELINE_POLICY)
    _apply(monkeypatch, cluster, dist)
    _dist(tmp_path, TENANT)
    cluster.prunable = "clusternetworkpolicy.policy.networking.k8s.io/tenantry-baseline-tenant-a pruned (dry run)"
    assert _apply(monkeypatch, cluster, dist).exit_code == 0
    (call,) = cluster.prunes
    assert [each for each in call if each.startswith("--prune-allowlist")] == [f"--prune-allowlist={BASELINE}"]


@pytest.mark.parametrize("baseline", [True, False])
def test_a_tenant_is_deleted_with_its_baseline_if_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    baseline: bool,  # noqa: FBT001
) -> None:
    """It belongs to no namespace; kubectl would refuse the kind on a cluster that does not know it."""
    _dist(tmp_path, _object("tenant-b"), tenant="tenant-b")
    cluster, dist = Cluster(), _dist(tmp_path, TENANT, *([BASELINE_POLICY] if baseline else []))
    _apply(monkeypatch, cluster, dist)
    (tmp_path / "tenant-a.k8s.yaml").unlink()
    cluster.prunable = "namespace/tenant-a pruned (dry run)"
    assert _apply(monkeypatch, cluster, dist, confirm="kind-test tenant-a").exit_code == 0
    (call,) = cluster.prunes
    assert f"--prune-allowlist={NAMESPACE}" in call
    assert (f"--prune-allowlist={BASELINE}" in call) is baseline
    assert any("app.kubernetes.io/instance in (tenant-a,tenant-b)" in each for each in call)


def test_an_object_that_kubectl_did_not_apply_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As kubectl does, although it has our labels."""
    cluster, dist = Cluster(), _dist(tmp_path, TENANT)
    cluster.add(ROLE, applied=False)
    assert _apply(monkeypatch, cluster, dist).exit_code == 0
    assert cluster.prunes == []


def test_a_tenant_is_deleted_only_if_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its name in CONFIRM nothing is changed; with it, the command waits until it is deleted."""
    dist, gone = _dist(tmp_path, TENANT), "namespace/tenant-b pruned (dry run)"
    cluster = Cluster(gone)
    cluster.add(_object("tenant-b"))
    refused = _apply(monkeypatch, cluster, dist)
    assert refused.exit_code == 2
    assert "tenant-b would be deleted from context kind-test" in refused.stderr
    assert 'CONFIRM="kind-test tenant-b"' in refused.stderr
    assert cluster.changes == []
    done = _apply(monkeypatch, cluster, dist, confirm="kind-test,tenant-b")
    assert done.exit_code == 0, done.output
    assert cluster.calls[-1][:3] == ("wait", "--for=delete", "namespace/tenant-b")
    assert any("app.kubernetes.io/instance in (tenant-a,tenant-b)" in each for each in cluster.prunes[0])
    assert f"--prune-allowlist={NAMESPACE}" in cluster.prunes[0]


def test_the_context_is_asked_for_even_if_the_tenant_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tenant's name alone does not say which cluster is meant."""
    cluster = Cluster("namespace/tenant-b pruned (dry run)")
    cluster.add(_object("tenant-b"))
    refused = _apply(monkeypatch, cluster, _dist(tmp_path, TENANT), confirm="tenant-b")
    assert refused.exit_code == 2
    assert "CONFIRM=kind-test" in refused.stderr
    assert cluster.changes == []


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
    cluster.add(_object("tenant-b"))
    done = _apply(monkeypatch, cluster, _dist(tmp_path, TENANT), *(() if by_variable else ("--dry-run",)))
    assert done.stdout.split() == ["namespace/tenant-b"]
    assert cluster.changes == []


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([], "must contain the Namespace tenant-a"),
        ([ROLE], "must contain the Namespace tenant-a"),
        ([TENANT, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}], "Secret s does not have"),
        ([TENANT, _object("tenant-b", "Secret", name="s")], "app.kubernetes.io/instance=tenant-a"),
    ],
)
def test_a_file_that_would_do_harm_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, objects: list[dict[str, Any]], says: str
) -> None:
    """A tenant without a namespace, or an object that pruning could not find again."""
    cluster = Cluster()
    refused = _apply(monkeypatch, cluster, _dist(tmp_path, *objects))
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert cluster.calls == []


@pytest.mark.parametrize("other", [None, "platform.yaml"])
def test_a_folder_that_would_delete_every_tenant_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str | None
) -> None:
    """No tenant, or a file that is not of `tenantry synth`."""
    if other:
        (tmp_path / other).write_text("{}")
    cluster = Cluster()
    refused = _apply(monkeypatch, cluster, tmp_path)
    assert refused.exit_code == 2
    assert ("is not one of the .k8s.yaml files" if other else "every tenant would be deleted") in refused.stderr
    assert cluster.calls == []


def test_the_folder_of_several_clusters_is_refused_and_the_message_names_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each cluster has its own."""
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        _dist(tmp_path / name, TENANT)
    cluster = Cluster()
    refused = _apply(monkeypatch, cluster, tmp_path)
    assert refused.exit_code == 2
    assert f"name one of them: {tmp_path}/east, {tmp_path}/west" in refused.stderr
    assert cluster.calls == []


def test_every_kind_that_is_pruned_is_one_that_is_compared() -> None:
    """Names of kinds have a group, a version and a kind."""
    assert all(each.count("/") == 2 for each in TENANT_KINDS)


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
    done = _apply(monkeypatch, cluster, _dist(tmp_path, TENANT))
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
    assert _apply(monkeypatch, cluster, _dist(tmp_path, TENANT), "--dry-run").exit_code == 0
    assert not any(call[0] == "label" for call in cluster.calls)
