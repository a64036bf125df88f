"""Every printed line with kubectl or curl works as printed: right options, existing objects, valid queries."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import printed_in_blocks
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import DIST, PlatformUnderTest
from tests.e2e.documented import Line, filled, lines, run
from tests.e2e.evidence import Evidence
from tests.paths import ROOT
from tests.ports import free_port

pytestmark = pytest.mark.promise("documentation")
RUNBOOK = ROOT / "docs" / "runbook.md"
NOT_EVERYWHERE = {
    "kube-prometheus-stack-grafana": ("deployment", "kube-prometheus-stack-grafana", "-n", "monitoring"),
    "model-publisher": ("secret", "model-publisher", "-n", "minio"),
    "persistentvolumeclaim": ("persistentvolumeclaims", "-n", "monitoring"),
}
"""What a line names, and the object that it needs; a cluster without Terraform's parts does not have all of them."""


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {printed: free_port() for printed in ("8000", "9000", "9090")}


@pytest.fixture(scope="module")
def environment(cluster: LiveCluster, platform: PlatformUnderTest) -> Iterator[dict[str, str]]:
    """Afterwards the tenant, which a line has restarted, is Ready again."""
    tenant = platform.tenants[0]
    yield {**cluster.kubectl.environment(), "T": tenant}
    platform.wait_until_ready([tenant])


@pytest.fixture(scope="module")
def prometheus(environment: dict[str, str], ports: dict[str, int]) -> Iterator[str]:
    """Run the line of the runbook that opens the connection; return the function that it defines for the others."""
    opened, defined = (
        next(text for _, text in printed_in_blocks(RUNBOOK) if text.startswith(start))
        for start in ("kubectl -n monitoring port-forward", "promql()")
    )
    opened = filled(opened, {}, ports).partition(" &")[0]
    connection = subprocess.Popen(
        ["bash", "-c", f"exec {opened}"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield filled(defined, {}, ports).replace("curl ", "curl --retry 9 --retry-connrefused ")
    finally:
        os.killpg(connection.pid, signal.SIGTERM)
        connection.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, platform: PlatformUnderTest) -> Path:
    """A project whose dist/ is the one in the cluster, with a kustomization of a tenant."""
    project = tmp_path_factory.mktemp("project")
    (project / "dist").symlink_to(DIST)
    shutil.copy(DIST / f"{platform.tenants[0]}.k8s.yaml", project / "tenant.yaml")
    (project / "kustomization.yaml").write_text("resources: [tenant.yaml]\nlabels: [{pairs: {team: ml}}]\n")
    return project


@pytest.fixture(scope="module")
def values(cluster: LiveCluster, platform: PlatformUnderTest) -> dict[str, str]:
    """Values for what the reader replaces, from the cluster."""
    tenant = platform.tenants[0]
    pod = cluster.ready_pods(tenant)[0]
    claims = cluster.items("persistentvolumeclaims", "-n", "monitoring")
    names = {"tenant-a": tenant, "tenant-c": tenant, "POD": pod["metadata"]["name"], "NODE": pod["spec"]["nodeName"]}
    return names | {"CLAIM": claims[0]["metadata"]["name"] if claims else ""}


@pytest.mark.parametrize("line", lines(), ids=str)
def test_the_line_works_as_printed(
    line: Line,
    cluster: LiveCluster,
    evidence: Evidence,
    environment: dict[str, str],
    ports: dict[str, int],
    prometheus: str,
    folder: Path,
    values: dict[str, str],
) -> None:
    """Changes are dry runs on the API server, except `rollout restart`, which has none."""
    for name, needed in NOT_EVERYWHERE.items():
        if name in line.text and not cluster.exists(*needed):
            evidence.not_tested("documentation", f"{line}: this cluster has no {name}")
            return
    failed = run(filled(line.text, values, ports), folder=folder, environment=environment, functions=prometheus)
    assert failed == "", f"{line}: {line.text.strip()}\n{failed}"
