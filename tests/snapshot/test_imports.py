"""`cdk8s import` generates the bindings in imports/ from the CRDs there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.mark.parametrize(("name", "folder"), [("monitoring.coreos.com", "com"), ("gateway.networking.k8s.io", "io")])
def test_the_crds_give_the_committed_bindings(tmp_path: Path, name: str, folder: str) -> None:
    bindings = ROOT / "imports" / folder
    path = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]])
    crds = ROOT / "imports" / "crds" / f"{name}.yaml"
    done = subprocess.run(
        ["cdk8s", "import", str(crds), "--language", "python", "--output", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "CDK8S_CHECK_UPGRADE": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    fresh = tmp_path / folder
    files = {each.relative_to(fresh) for each in fresh.rglob("*") if each.is_file()}
    assert files
    assert files == {
        each.relative_to(bindings) for each in bindings.rglob("*") if each.is_file() and "__pycache__" not in each.parts
    }
    assert [str(each) for each in files if (fresh / each).read_bytes() != (bindings / each).read_bytes()] == []
