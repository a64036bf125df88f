"""Tenants come and go with `tenantry apply`, and nothing else is ever touched."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import pods
from tests.e2e.cluster import Cluster, workload
from tests.e2e.deployment import BUILD, DIST, MODEL, PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Source, Target
from tests.e2e.probes import Door, Place, Probes
from tests.paths import ROOT

pytestmark = pytest.mark.promise("tenants")
NEWCOMER = "tenant-new"
BYSTANDER = "tenantry-e2e-bystander"
FOREIGN = "e2e-foreign"
READY_SECONDS = 120


@pytest.fixture(scope="module")
def bystander(cluster: Cluster, platform: PlatformUnderTest) -> Iterator[None]:
    """What Tenantry did not make: a namespace beside the tenants, and an object inside a tenant's."""
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": FOREIGN}, "data": {"mine": "yes"}}
    cluster.apply(pods.namespace(BYSTANDER))
    for namespace in (BYSTANDER, platform.tenants[0]):
        cluster.apply({**foreign, "metadata": {"name": FOREIGN, "namespace": namespace}})
    yield
    cluster.delete("namespace", BYSTANDER, NEWCOMER)
    cluster.delete("configmap", FOREIGN, "-n", platform.tenants[0])


@pytest.fixture(scope="module")
def three(platform: PlatformUnderTest) -> Path:
    """The platform file with one more tenant."""
    file = BUILD / "three.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = f"  - name: {NEWCOMER}\n    model: s3://models/{NEWCOMER}/spam\n"
    file.write_text(platform.file.read_text("utf-8").rstrip("\n") + "\n" + entry, "utf-8")
    return file


def _apply(cluster: Cluster, *flags: str, confirm: str = "") -> subprocess.CompletedProcess[str]:
    """The very command, from the shell."""
    environment = {**cluster.kubectl.environment(), "CONFIRM": f"{cluster.kubectl.context} {confirm}"}
    command = [sys.executable, "-m", "tenantry", "apply", "--dist", str(DIST), *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _synth(platform: PlatformUnderTest, file: Path | None = None) -> None:
    pinned = f"s3://models/{{tenant}}/spam@sha256:{platform.digest}" if platform.digest else None
    platform.synth(model=pinned, file=file)


def test_a_second_apply_changes_nothing(
    cluster: Cluster, platform: PlatformUnderTest, bystander: None, evidence: Evidence
) -> None:
    """The cluster is as the manifests say: `kubectl diff` finds nothing and a second apply does nothing."""
    del bystander
    _synth(platform)
    first, second = _apply(cluster), _apply(cluster)
    assert first.returncode == 0, first.stderr
    assert second.stdout.startswith("nothing changed"), second.stdout
    diff = cluster.kubectl.try_run("diff", "-f", str(DIST))
    assert (diff.returncode, diff.stdout) == (0, "")
    evidence.count("tenants", "applies", 2)


def test_a_tenant_that_is_added_is_ready_and_walled(
    cluster: Cluster, platform: PlatformUnderTest, three: Path, bystander: None, probes: Probes, evidence: Evidence
) -> None:
    """A line in platform.yaml, its keys and its model: Ready in under two minutes, and it reaches nobody."""
    del bystander
    store = platform.store
    if store is None or not store.ours:
        pytest.skip("a new tenant's keys are Terraform's to make in this cluster")
    _synth(platform, three)
    begin = time.monotonic()
    done = _apply(cluster)
    assert done.returncode == 0, done.stderr
    cluster.apply(*store.prepare([*platform.tenants, NEWCOMER]).values())
    store.publish(MODEL, [NEWCOMER])
    platform.wait_until_ready([NEWCOMER], seconds=READY_SECONDS)
    took = time.monotonic() - begin
    evidence.figure("tenants", "seconds from apply to a new tenant's two Ready pods", round(took))
    evidence.count("tenants", "applies")
    assert took < READY_SECONDS
    new = cluster.ready_pods(NEWCOMER)
    inside = Place(Source.SAME_TENANT, NEWCOMER, new[0]["metadata"]["name"], "", NEWCOMER, "inference")
    assert _open(evidence, probes, inside, new[1]["status"]["podIP"]), "it reaches itself"
    for tenant in platform.tenants:
        pod = cluster.ready_pods(tenant)[0]
        old = Place(Source.SAME_TENANT, tenant, pod["metadata"]["name"], "", tenant, "inference")
        assert not _open(evidence, probes, inside, pod["status"]["podIP"])
        assert not _open(evidence, probes, old, new[1]["status"]["podIP"])


def test_a_tenant_goes_only_when_it_is_named(
    cluster: Cluster, platform: PlatformUnderTest, bystander: None, evidence: Evidence
) -> None:
    """Taken out of platform.yaml it is said to go, stays until CONFIRM names it, then is gone, and nothing else is."""
    del bystander
    if not cluster.exists("namespace", NEWCOMER):
        pytest.skip("no tenant was added before")
    _synth(platform)
    assert _apply(cluster, "--dry-run").stdout.split() == [f"namespace/{NEWCOMER}"]
    refused = _apply(cluster)
    evidence.count("tenants", "applies", 3)
    assert refused.returncode == 2
    assert f"goes: namespace {NEWCOMER}" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert cluster.exists("role", workload(NEWCOMER), "-n", NEWCOMER)
    done = _apply(cluster, confirm=NEWCOMER)
    assert done.returncode == 0, done.stderr
    assert not cluster.exists("namespace", NEWCOMER)
    everywhere = cluster.items("roles,rolebindings", "-A", "-l", f"app.kubernetes.io/instance={NEWCOMER}")
    assert everywhere == []
    for namespace in (BYSTANDER, platform.tenants[0]):
        assert cluster.exists("configmap", FOREIGN, "-n", namespace)
    assert all(len(cluster.ready_pods(tenant)) >= 2 for tenant in platform.tenants)
    assert _apply(cluster).stdout.startswith("nothing changed")
    if platform.store is not None:
        platform.store.remove([NEWCOMER])


def test_an_empty_folder_prunes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """A folder without a tenant is refused, since every tenant would go."""
    environment = {**os.environ, **cluster.kubectl.environment(), "CONFIRM": cluster.kubectl.context}
    command = [sys.executable, "-m", "tenantry", "apply", "--dist", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "every tenant would go" in done.stderr


def _open(evidence: Evidence, probes: Probes, place: Place, host: str) -> bool:
    measured = probes.knock(place, Door(Target.POD, "tcp", host, 8000))
    evidence.count("tenants", "TCP connections", len(measured.outcomes))
    return measured.is_open
