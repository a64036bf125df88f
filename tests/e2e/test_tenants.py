"""`tenantry apply` adds and removes tenants, and changes nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e import pods
from tests.e2e.access import write
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import BUILD, DIST, MODEL, PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Source, Target
from tests.e2e.probes import Client, Endpoint, Probes
from tests.paths import ROOT

pytestmark = pytest.mark.promise("tenants")
NEW_TENANT = "tenant-new"
UNRELATED = "tenantry-e2e-unrelated"
FOREIGN = "e2e-foreign"
READY_SECONDS = 120


@pytest.fixture(scope="module")
def unrelated(cluster: LiveCluster, platform: PlatformUnderTest) -> Iterator[None]:
    """Objects that Tenantry did not create: a namespace, and an object in a tenant's namespace."""
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": FOREIGN}, "data": {"mine": "yes"}}
    cluster.apply(pods.namespace(UNRELATED))
    for namespace in (UNRELATED, platform.tenants[0]):
        cluster.apply({**foreign, "metadata": {"name": FOREIGN, "namespace": namespace}})
    yield
    cluster.delete("namespace", UNRELATED, NEW_TENANT)
    cluster.delete("configmap", FOREIGN, "-n", platform.tenants[0])


@pytest.fixture(scope="module")
def three(platform: PlatformUnderTest) -> Path:
    """The platform file with one more tenant."""
    content = yaml.safe_load(platform.file.read_text("utf-8"))
    content["tenants"].append({"name": NEW_TENANT, "model": f"s3://models/{NEW_TENANT}/spam"})
    return write(content, BUILD / "three.yaml")


def _apply(cluster: LiveCluster, *flags: str, confirm: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command."""
    environment = {**cluster.kubectl.environment(), "CONFIRM": f"{cluster.kubectl.context} {confirm}"}
    command = [sys.executable, "-m", "tenantry", "apply", "--dist", str(DIST), *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _synth(platform: PlatformUnderTest, file: Path | None = None) -> None:
    pinned = f"s3://models/{{tenant}}/spam@sha256:{platform.digest}" if platform.digest else None
    platform.synth(model=pinned, file=file)


def test_a_second_apply_changes_nothing(
    cluster: LiveCluster, platform: PlatformUnderTest, unrelated: None, evidence: Evidence
) -> None:
    """After an apply, `kubectl diff` finds nothing, and a second apply does nothing."""
    del unrelated
    _synth(platform)
    first, second = _apply(cluster), _apply(cluster)
    assert first.returncode == 0, first.stderr
    assert second.stdout.startswith("nothing changed"), second.stdout
    diff = cluster.kubectl.try_run("diff", "-f", str(DIST))
    assert (diff.returncode, diff.stdout) == (0, "")
    evidence.count("tenants", "applies", 2)


def test_an_added_tenant_is_ready_and_isolated(
    cluster: LiveCluster, platform: PlatformUnderTest, three: Path, unrelated: None, probes: Probes, evidence: Evidence
) -> None:
    """A new tenant in platform.yaml is Ready in under two minutes, and isolated from the others."""
    del unrelated
    store = platform.store
    if store is None or not store.ours:
        pytest.skip("Terraform creates the keys of a new tenant in this cluster")
    _synth(platform, three)
    begin = time.monotonic()
    done = _apply(cluster)
    assert done.returncode == 0, done.stderr
    cluster.apply(*store.prepare([*platform.tenants, NEW_TENANT]).values())
    store.publish(MODEL, [NEW_TENANT])
    platform.wait_until_ready([NEW_TENANT], seconds=READY_SECONDS)
    took = time.monotonic() - begin
    evidence.figure("tenants", "seconds from apply to a new tenant's two Ready pods", round(took))
    evidence.count("tenants", "applies")
    assert took < READY_SECONDS
    new = cluster.ready_pods(NEW_TENANT)
    inside = Client(Source.SAME_TENANT, NEW_TENANT, new[0]["metadata"]["name"], "", NEW_TENANT, "inference")
    assert _open(evidence, probes, inside, new[1]["status"]["podIP"]), "it must reach its own pods"
    for tenant in platform.tenants:
        pod = cluster.ready_pods(tenant)[0]
        old = Client(Source.SAME_TENANT, tenant, pod["metadata"]["name"], "", tenant, "inference")
        assert not _open(evidence, probes, inside, pod["status"]["podIP"])
        assert not _open(evidence, probes, old, new[1]["status"]["podIP"])


def test_a_tenant_is_removed_only_after_confirmation(
    cluster: LiveCluster, platform: PlatformUnderTest, unrelated: None, evidence: Evidence
) -> None:
    """A tenant that is no longer in platform.yaml is announced, kept until CONFIRM names it, and then deleted alone."""
    del unrelated
    if not cluster.exists("namespace", NEW_TENANT):
        pytest.skip("no tenant was added before")
    _synth(platform)
    assert _apply(cluster, "--dry-run").stdout.split() == [f"namespace/{NEW_TENANT}"]
    refused = _apply(cluster)
    evidence.count("tenants", "applies", 3)
    assert refused.returncode == 2
    assert f"to delete: namespace {NEW_TENANT}" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert cluster.exists("role", workload(NEW_TENANT), "-n", NEW_TENANT)
    done = _apply(cluster, confirm=NEW_TENANT)
    assert done.returncode == 0, done.stderr
    assert not cluster.exists("namespace", NEW_TENANT)
    everywhere = cluster.items("roles,rolebindings", "-A", "-l", f"app.kubernetes.io/instance={NEW_TENANT}")
    assert everywhere == []
    for namespace in (UNRELATED, platform.tenants[0]):
        assert cluster.exists("configmap", FOREIGN, "-n", namespace)
    assert all(len(cluster.ready_pods(tenant)) >= 2 for tenant in platform.tenants)
    assert _apply(cluster).stdout.startswith("nothing changed")
    if platform.store is not None:
        platform.store.remove([NEW_TENANT])


def test_an_empty_folder_prunes_nothing(cluster: LiveCluster, tmp_path: Path) -> None:
    """A folder without a tenant is refused, since every tenant would be deleted."""
    environment = {**os.environ, **cluster.kubectl.environment(), "CONFIRM": cluster.kubectl.context}
    command = [sys.executable, "-m", "tenantry", "apply", "--dist", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "every tenant would be deleted" in done.stderr


def _open(evidence: Evidence, probes: Probes, client: Client, host: str) -> bool:
    measured = probes.connect(client, Endpoint(Target.POD, "tcp", host, 8000))
    evidence.count("tenants", "TCP connections", len(measured.outcomes))
    return measured.is_open
