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


def test_without_a_cluster_it_says_the_needs_and_how_to_describe_one(file: Path) -> None:
    result = _run(file)
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[1] == ["tenant-a", "2", "to", "11", "0.5", "to", "2.75", "512Mi", "to", "2816Mi"]
    assert rows[2] == ["tenant-b", "3", "to", "4", "0.75", "to", "1", "768Mi", "to", "1024Mi"]
    assert rows[3] == ["together", "5", "to", "15", "1.25", "to", "3.75", "1280Mi", "to", "3840Mi"]
    assert "--cpu and --memory" in result.stderr


def test_what_it_says_may_be_written_as_a_quantity(tmp_path: Path) -> None:
    """No comma, nothing rounded down, and no digit of the CPU lost, however large the platform."""
    file = tmp_path / "platform.yaml"
    pod = 'resources: {requests: {cpu: 123m, memory: "300M"}}, autoscaling: {maxReplicas: 100}'
    file.write_text(PLATFORM.partition("tenants:")[0] + f'tenants: [{{name: a, model: "file:spam", {pod}}}]\n')
    row = _run(file).stdout.splitlines()[1].split()
    assert row[4:] == ["0.246", "to", "12.423", "573Mi", "to", "28897Mi"]


def test_with_a_cluster_it_says_what_fits_and_for_how_many_like_it(file: Path) -> None:
    document = _json(file, "--workers", "4", "--cpu", "2", "--memory", "8Gi")
    assert document["podsWithoutRoom"] == {"atRest": 0, "atMost": 0}
    assert document["tenants"][0]["roomForLikeIt"] == {"atRest": 12, "atMost": 2}
    assert document["total"]["atMost"] == {"pods": 15, "cpuMillicores": 3750, "memoryBytes": 15 * 256 * 2**20}
    shown = _run(file, "--workers", "4", "--cpu", "2", "--memory", "8Gi").stdout
    assert "2 to 12" in shown
    assert "4 workers of 2 CPU and 8Gi: everything fits at most" in shown


def test_the_files_own_description_is_used_and_an_option_wins(file: Path) -> None:
    file.write_text(PLATFORM.replace("image:1", "image:1\n  cluster: {cpu: 1, memory: 2Gi}", 1))
    assert _json(file)["cluster"]["cpu"] == "1"
    assert _json(file, "--cpu", "8")["cluster"] == {**_json(file)["cluster"], "cpu": "8"}


def test_a_cluster_that_cannot_hold_the_pods_at_rest_is_a_failure(file: Path) -> None:
    result = _run(file, "--workers", "1", "--cpu", "1", "--memory", "8Gi")
    assert result.exit_code == 1
    assert "1 worker of 1 CPU and 8Gi: 3 pods find no room at rest" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cpu", "4"], "--memory: is needed, too"),
        (["--cpu", "much", "--memory", "1Gi"], "--cpu: is a CPU quantity"),
        (["--cpu", "4", "--memory", "8Gi", "--workers", "0"], "--workers:"),
    ],
)
def test_half_a_cluster_is_wrong_input(file: Path, options: list[str], said: str) -> None:
    result = _run(file, *options)
    assert result.exit_code == 2
    assert said in result.stderr
