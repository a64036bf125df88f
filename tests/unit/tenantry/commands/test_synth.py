"""`tenantry synth` and `cdk8s synth`: dist/ as a whole, or a message and the old one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tenantry.cli import app
from tests.paths import ROOT, TEMPLATE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a synth reads, with a dist/ that is out of date."""
    for name in ("main.py", "cdk8s.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "platform.yaml").write_text(TEMPLATE.read_text("utf-8"), encoding="utf-8")
    for name in ("constructs_lib", "imports", "inference", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "tenant-a.k8s.yaml").write_text("old", encoding="utf-8")
    return tmp_path


def dist(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "dist").iterdir()}


def fresh(project: Path) -> dict[str, bytes]:
    """What the library writes for the project's file."""
    write(Platform.load(project / "platform.yaml"), project / "fresh")
    return {path.name: path.read_bytes() for path in (project / "fresh").iterdir()}


def break_file(project: Path) -> None:
    path = project / "platform.yaml"
    text = path.read_text(encoding="utf-8")
    assert "  - name: tenant-b" in text
    path.write_text(text.replace("  - name: tenant-b", "  - name: Tenant_B"), encoding="utf-8")


def cdk8s_synth(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the plain command of an activated environment, where `make` has linked it."""
    assert "ln -sf ../../tools/cdk8s .venv/bin/cdk8s" in (ROOT / "Makefile").read_text(encoding="utf-8")
    links = project / "bin"
    links.mkdir()
    (links / "cdk8s").symlink_to(ROOT / "tools" / "cdk8s")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CDK8S_")}
    environment["PATH"] = os.pathsep.join([str(links), str(ROOT / ".venv/bin"), os.environ["PATH"]])
    return subprocess.run(
        ["cdk8s", "synth"], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_command_writes_dist_as_a_whole(project: Path) -> None:
    result = CliRunner().invoke(
        app, ["synth", "--file", str(project / "platform.yaml"), "--output", str(project / "dist")]
    )
    assert result.exit_code == 0, result.output
    assert dist(project) == fresh(project)
    assert "warning: the model of tenant-a, tenant-b is not pinned" in result.stderr


def test_a_mistake_ends_the_command_with_2_and_leaves_dist(project: Path) -> None:
    break_file(project)
    before = dist(project)
    result = CliRunner().invoke(
        app, ["synth", "--file", str(project / "platform.yaml"), "--output", str(project / "dist")]
    )
    assert result.exit_code == 2
    assert "tenants[1].name" in result.stderr
    assert "Traceback" not in result.output
    assert dist(project) == before


def test_an_output_that_holds_something_else_ends_the_command_with_2(project: Path) -> None:
    result = CliRunner().invoke(app, ["synth", "--file", str(project / "platform.yaml"), "--output", str(project)])
    assert result.exit_code == 2
    assert "must contain only manifests" in result.stderr


def test_plain_cdk8s_synth_writes_the_same(project: Path) -> None:
    done = cdk8s_synth(project)
    assert done.returncode == 0, done.stderr
    assert "new version" not in done.stdout + done.stderr
    assert "warning: the model of tenant-a, tenant-b is not pinned to a digest" in done.stdout + done.stderr
    assert dist(project) == fresh(project)


def test_plain_cdk8s_synth_tells_a_mistake_without_a_trace_and_leaves_dist(project: Path) -> None:
    break_file(project)
    before = dist(project)
    done = cdk8s_synth(project)
    assert done.returncode != 0
    assert f"error: {project / 'platform.yaml'} is not valid (1 mistake)" in done.stderr
    assert "tenants[1].name" in done.stderr
    assert "Traceback" not in done.stderr
    assert "    at " not in done.stderr
    assert dist(project) == before
