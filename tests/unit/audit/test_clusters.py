"""Contracts of several clusters from one platform.yaml: each folder of manifests has the tenants of its cluster."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tenantry.cli import app

PLATFORM = """\
apiVersion: tenantry.dev/v1alpha1
platform: {image: registry.example/service:1}
clusters: [east, west]
tenants:
  - {name: tenant-a, model: s3://models/tenant-a/spam, cluster: east}
  - {name: tenant-b, model: s3://models/tenant-b/spam, cluster: west}
"""
CONTRACTS = ("check", "benchmarks", "paths", "all")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with platform.yaml and dist/, in which the command runs."""
    (tmp_path / "platform.yaml").write_text(PLATFORM)
    write(Platform.load(tmp_path / "platform.yaml"), tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [("dist/east",), ("dist/east/",), ("dist/east/*.yaml",), ("--cluster", "east"), ("dump.yaml", "--cluster", "east")],
)
def test_one_cluster_is_checked_for_its_own_tenants(project: Path, arguments: tuple[str, ...]) -> None:
    """Its folder, files in it, or a dump with the name of the cluster."""
    (project / "dump.yaml").write_text("---\n".join(each.read_text() for each in sorted(project.glob("dist/east/*"))))
    done = run("check", *arguments)
    assert (done.exit_code, done.stdout) == (0, "1 tenant, contract platform holds: no finding\n")
    assert done.stderr == ""


def test_files_of_several_clusters_are_checked_for_all_tenants() -> None:
    for arguments in ((), ("dist",), ("dist/east", "dist/west")):
        done = run("check", *arguments)
        assert done.stdout == "2 tenants, contract platform holds: no finding\n"
        assert "the tenants of all clusters (east, west) are considered; --cluster NAME" in done.stderr


def test_a_dump_without_a_cluster_lacks_the_tenants_of_the_others(project: Path) -> None:
    (project / "dump.yaml").write_text("---\n".join(each.read_text() for each in sorted(project.glob("dist/east/*"))))
    done = run("check", "dump.yaml")
    assert done.exit_code == 3
    assert "namespace-not-declared: Namespace tenant-b" in done.stdout


def test_a_statement_names_the_files_of_the_cluster(project: Path) -> None:
    assert run("check", "--cluster", "west", "--attest", "statement.json").exit_code == 0
    subjects = json.loads((project / "statement.json").read_text())["subject"]
    assert [each["name"] for each in subjects] == ["dist/west/0-platform.k8s.yaml", "dist/west/tenant-b.k8s.yaml"]


@pytest.mark.parametrize("command", CONTRACTS)
def test_every_command_with_a_contract_takes_a_cluster(command: str) -> None:
    shown = run(command, "--cluster", "east", "--format", "json").stdout
    assert "tenant-a" in shown or command == "check"
    assert "tenant-b" not in shown


@pytest.mark.parametrize("command", CONTRACTS)
def test_a_cluster_that_the_file_does_not_list_is_wrong_input(command: str) -> None:
    done = run(command, "--cluster", "north")
    assert done.exit_code == 2
    assert "--cluster north: is not one of the clusters in platform.yaml: east, west" in done.stderr


def test_a_cluster_and_something_else_that_names_the_tenants_are_wrong_input(project: Path) -> None:
    contract = run("check", "--cluster", "east", "--show-contract").stdout
    (project / "contract.yaml").write_text(contract)
    done = run("check", "--contract", "contract.yaml", "--cluster", "east")
    assert done.exit_code == 2
    assert "--cluster is for platform.yaml" in done.stderr
    done = run("paths", "--from", "tenant-a", "--cluster", "east")
    assert done.exit_code == 2
    assert "leave --from out" in done.stderr
