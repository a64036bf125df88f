"""`tenantry plan`, as its user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app

PLATFORM = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: example/image:1
tenants:
  - {name: tenant-a, model: "file:spam"}
  - {name: tenant-b, model: "file:spam", autoscaling: {minReplicas: 3, maxReplicas: 3}, rollout: {surge: 1}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "platform.yaml"
    file.write_text(PLATFORM)
    return file


def _run(file: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["plan", "--file", str(file), *options])


def _json(file: Path, *options: str) -> Any:
    result = _run(file, "--format", "json", *options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_without_a_cluster_it_shows_the_requests_and_how_to_describe_one(file: Path) -> None:
    result = _run(file)
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[1] == ["tenant-a", "2", "to", "11", "0.5", "to", "2.75", "512Mi", "to", "2816Mi"]
    assert rows[2] == ["tenant-b", "3", "to", "4", "0.75", "to", "1", "768Mi", "to", "1024Mi"]
    assert rows[3] == ["total", "5", "to", "15", "1.25", "to", "3.75", "1280Mi", "to", "3840Mi"]
    assert "--cpu and --memory" in result.stderr


def test_figures_are_valid_quantities(tmp_path: Path) -> None:
    """No thousands separator, nothing rounded down and no digit of the CPU lost, at any size."""
    file = tmp_path / "platform.yaml"
    pod = 'resources: {requests: {cpu: 123m, memory: "300M"}}, autoscaling: {maxReplicas: 100}'
    file.write_text(PLATFORM.partition("tenants:")[0] + f'tenants: [{{name: a, model: "file:spam", {pod}}}]\n')
    row = _run(file).stdout.splitlines()[1].split()
    assert row[4:] == ["0.246", "to", "12.423", "573Mi", "to", "28897Mi"]


def test_with_a_cluster_it_shows_what_fits_and_how_many_similar_tenants(file: Path) -> None:
    document = _json(file, "--workers", "4", "--cpu", "2", "--memory", "8Gi")
    assert document["unschedulablePods"] == {"minimum": 0, "maximum": 0}
    assert document["tenants"][0]["similarTenants"] == {"minimum": 12, "maximum": 2}
    assert document["total"]["maximum"] == {"pods": 15, "cpuMillicores": 3750, "memoryBytes": 15 * 256 * 2**20}
    shown = _run(file, "--workers", "4", "--cpu", "2", "--memory", "8Gi").stdout
    assert "2 to 12" in shown
    assert "4 workers of 2 CPU and 8Gi: all pods fit at the maximum" in shown


def test_options_override_the_cluster_in_the_file(file: Path) -> None:
    file.write_text(PLATFORM.replace("image:1", "image:1\n  cluster: {cpu: 1, memory: 2Gi}", 1))
    assert _json(file)["cluster"]["cpu"] == "1"
    assert _json(file, "--cpu", "8")["cluster"] == {**_json(file)["cluster"], "cpu": "8"}


def test_unschedulable_pods_at_the_minimum_are_a_failure(file: Path) -> None:
    result = _run(file, "--workers", "1", "--cpu", "1", "--memory", "8Gi")
    assert result.exit_code == 1
    assert "1 worker of 1 CPU and 8Gi: 3 pods are unschedulable at the minimum" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cpu", "4"], "--memory: is required, too"),
        (["--cpu", "much", "--memory", "1Gi"], "--cpu: must be a CPU quantity"),
        (["--cpu", "4", "--memory", "8Gi", "--workers", "0"], "--workers:"),
    ],
)
def test_an_incomplete_cluster_is_wrong_input(file: Path, options: list[str], said: str) -> None:
    result = _run(file, *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_it_shows_what_prometheus_needs(file: Path) -> None:
    """Two tenants: 2 to 11 and 3 to 4 pods with 90 series each, and 24 recorded series per tenant."""
    assert "Prometheus: 498 to 1,398 series, 15 to 45 samples per second, " in _run(file).stdout
    prometheus = _json(file)["prometheus"]
    assert (prometheus["minimum"]["series"], prometheus["maximum"]["series"]) == (498, 1398)
    assert prometheus["maximum"].keys() == {"series", "samplesPerSecond", "memoryBytes", "diskBytesPerDay"}


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    """Tenants on two clusters, whose Prometheus holds the series of one of them."""
    file = tmp_path / "platform.yaml"
    text = PLATFORM.replace("image:1", "image:1\n  monitoring: {prometheus: {memory: 260Mi, storage: 10Gi}}", 1)
    text = text.replace("tenants:", "clusters: [east, west]\ntenants:")
    file.write_text(
        text.replace("tenant-a,", "tenant-a, cluster: east,").replace("tenant-b,", "tenant-b, cluster: west,")
    )
    return file


def test_each_of_several_clusters_has_its_own_plan(clusters: Path) -> None:
    """Prometheus's needs, too: each cluster has its own Prometheus."""
    east, west = _run(clusters).stdout.split("\n\n")
    assert east.startswith("cluster east\n")
    assert "tenant-b" not in east
    assert "Prometheus: 204 to 1,014 series" in east
    assert west.startswith("cluster west\n")
    assert "tenant-a" not in west
    assert "Prometheus: 294 to 384 series" in west
    documents = _json(clusters)["clusters"]
    assert [documents[name]["prometheus"]["maximum"]["series"] for name in ("east", "west")] == [1014, 384]


def test_one_cluster_has_the_plan_of_a_platform_with_its_tenants_alone(clusters: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.yaml"
    alone.write_text("".join(line for line in PLATFORM.splitlines(keepends=True) if "tenant-a" not in line))
    assert _json(clusters, "--cluster", "west") == _json(alone)
    assert _run(clusters, "--cluster", "west").stdout.startswith("cluster west\n")


def test_too_small_a_prometheus_is_named_with_its_cluster(clusters: Path) -> None:
    stderr = _run(clusters).stderr
    assert "warning: cluster east: Prometheus needs 264Mi of memory for the 1,014 series" in stderr
    assert "cluster west" not in stderr


def test_pods_that_do_not_fit_on_one_of_several_clusters_are_a_failure(clusters: Path) -> None:
    """West needs 3 pods of 256Mi, east 2; a node of each cluster has 640Mi for pods."""
    nodes = ("--workers", "1", "--cpu", "2", "--memory", "1280Mi")
    assert _run(clusters, *nodes).exit_code == 1
    assert _run(clusters, "--cluster", "east", *nodes).exit_code == 0


def test_a_cluster_that_the_file_does_not_list_is_wrong_input(clusters: Path) -> None:
    result = _run(clusters, "--cluster", "north")
    assert result.exit_code == 2
    assert "--cluster north: is not one of the clusters in platform.yaml: east, west" in result.stderr
