"""`tenantry validate` without a cluster: what it asks kubectl for, what it refuses, and that it tidies up.

That the walk itself tells right manifests from wrong ones only a real API server can say: `make validate`.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.cluster import validation
from tenantry.cluster.admission import NODE, TenantWorkload, apply, on_the_node
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError
from tests.paths import TEMPLATE


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validate")
    (folder / "platform.yaml").write_text(TEMPLATE.read_text("utf-8"), encoding="utf-8")
    write(Platform.load(folder / "platform.yaml"), folder / "dist")
    return folder / "dist"


class FakeCluster(Kubectl):
    """A kubectl that knows which objects exist, records its arguments, and refuses what the test chooses."""

    def answers(self, *there: str, refuses: str = "nothing") -> "FakeCluster":
        object.__setattr__(self, "there", set(there))
        object.__setattr__(self, "refuses", refuses)
        object.__setattr__(self, "asked", [])
        return self

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        self.asked.append((*arguments, stdin or ""))  # type: ignore[attr-defined]
        said = ""
        if arguments[0] == "get" and f"{arguments[1].lower()}/{arguments[2]}" in self.there:  # type: ignore[attr-defined]
            said = arguments[2]
        failed = any(self.refuses in each for each in (*arguments, stdin or ""))  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(arguments, int(failed), said, "no, said the server" if failed else "")

    def changes(self) -> list[tuple[str, ...]]:
        """What would change a cluster."""
        asked: list[tuple[str, ...]] = self.asked  # type: ignore[attr-defined]
        return [each for each in asked if each[0] not in {"get", "config"} and "--dry-run=server" not in each]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    made = FakeCluster(kubeconfig=None, context="test").answers()
    monkeypatch.setattr(Kubectl, "find", lambda *_: made)
    monkeypatch.setenv("CONFIRM", "test")
    monkeypatch.delenv("DRY_RUN", raising=False)
    return made


def run(dist: Path, *options: str) -> Any:
    return CliRunner().invoke(app, ["validate", "--dist", str(dist), *options])


def test_nothing_to_validate_is_an_error(tmp_path: Path, cluster: FakeCluster) -> None:
    (tmp_path / "empty.k8s.yaml").write_text("", encoding="utf-8")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "holds no object" in result.stderr
    assert not cluster.changes()


def test_a_tenant_that_the_cluster_has_is_never_touched(dist: Path, cluster: FakeCluster) -> None:
    cluster.answers("namespace/tenant-b")
    result = run(dist)
    assert result.exit_code == 2
    assert "namespace tenant-b exists on test" in result.stderr
    assert not cluster.changes()


def test_without_a_confirmation_nothing_happens(
    dist: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIRM", "another")
    result = run(dist)
    assert result.exit_code == 2
    assert "CONFIRM=test" in result.stderr
    assert not cluster.changes()


def test_a_dry_run_changes_nothing_and_asks_about_every_file(dist: Path, cluster: FakeCluster) -> None:
    cluster.answers("namespace/monitoring", "namespace/tenant-a", "namespace/tenant-b")
    result = run(dist, "--dry-run", "--format", "json")
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)) == ["0-platform.k8s.yaml", "tenant-a.k8s.yaml", "tenant-b.k8s.yaml"]
    assert not cluster.changes()
    asked = [each for each in cluster.asked if each[0] == "apply"]  # type: ignore[attr-defined]
    assert len(asked) == 3
    assert all("--validate=strict" in each and "--server-side" in each for each in asked)


def test_a_dry_run_is_asked_for_by_the_variable_too(
    dist: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRY_RUN", "1")
    result = run(dist)
    assert result.exit_code == 1
    assert "lacks namespace monitoring, tenant-a, tenant-b" in result.stderr
    assert not cluster.changes()


def test_what_was_made_is_deleted_after_a_failure_and_what_was_there_is_not(dist: Path, cluster: FakeCluster) -> None:
    cluster.answers("namespace/monitoring", "crd/servicemonitors.monitoring.coreos.com", refuses='"name": "tenant-b"')
    result = run(dist)
    assert result.exit_code == 1
    assert "no, said the server" in result.stderr
    changes = cluster.changes()
    (spaces,) = [each for each in changes if each[:2] == ("delete", "namespace")]
    assert spaces[2:4] == ("tenant-a", "tenant-b")
    assert "monitoring" not in spaces
    (loose,) = [each for each in changes if each[0] == "delete" and "--filename" in each]
    assert sorted((item["kind"], item["metadata"]["name"]) for item in json.loads(loose[-1])["items"]) == [
        ("ConfigMap", "tenantry-dashboard"),
        ("CustomResourceDefinition", "prometheusrules.monitoring.coreos.com"),
        ("Node", NODE),
    ]


def test_a_warning_of_the_server_is_a_failure() -> None:
    class Warns(FakeCluster):
        def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
            del stdin
            return subprocess.CompletedProcess(arguments, 0, "", "Warning: would violate PodSecurity")

    with pytest.raises(CommandError, match="with a warning:\nWarning: would violate PodSecurity"):
        apply(Warns(kubeconfig=None, context="test"), [{"kind": "Pod"}])


def test_the_walk_reads_its_numbers_from_the_manifests(dist: Path) -> None:
    tenant = TenantWorkload.of(yaml.safe_load_all((dist / "tenant-a.k8s.yaml").read_text(encoding="utf-8")))
    assert (tenant.name, tenant.deployment) == ("tenant-a", "tenant-a-ml-inference")
    assert (tenant.minimum, tenant.maximum, tenant.surge, tenant.quota, tenant.headroom) == (2, 10, 1, 25, 4)
    assert set(tenant.selector.split(",")) == {
        "app.kubernetes.io/instance=tenant-a",
        "app.kubernetes.io/name=ml-inference",
    }


def test_only_a_deployments_node_is_changed(dist: Path) -> None:
    for item in yaml.safe_load_all((dist / "tenant-a.k8s.yaml").read_text(encoding="utf-8")):
        changed = on_the_node(item)
        if item["kind"] == "Deployment":
            assert changed["spec"]["template"]["spec"].pop("nodeName") == NODE
        assert changed == item


@pytest.mark.parametrize("count", [1, 3])
def test_a_namespace_that_does_not_go_is_told(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    names = [f"tenant-{index}" for index in range(count)]
    cluster.answers(*(f"namespace/{name}" for name in names))
    monkeypatch.setattr("time.monotonic", iter(range(0, 10_000, 100)).__next__)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(CommandError, match=f"namespace {', '.join(names)} is still there after 120 s"):
        validation._delete_namespaces(cluster, names)
