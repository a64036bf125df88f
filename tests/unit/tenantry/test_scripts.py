"""The scripts behind CI and installation, with stand-ins for the programs that they call."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

MAKE = """
case "$*" in
  *checks)
    echo 'CHECKS="demo test"; CHECKS_WITH_DOCKER="image-test"'
    echo 'CHECKS_WITH_API_SERVER="validate"; CHECKS_WITH_CLUSTER=""' ;;
  *"$BROKEN") echo "it broke"; echo "===== 1 failed, 2 passed in 0.50s ====="; exit 2 ;;
  *) echo "did $2"; echo "===== 3 passed in 0.50s =====" ;;
esac
"""
CLUSTER = (
    'echo "cluster $1"; case $1 in assets) echo /nowhere ;; kubeconfig) echo /nowhere/kubeconfig ;; status) ;; esac'
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that has nothing but `.ci/run`."""
    folder = tmp_path / "clone"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    return folder


def stand_in(folder: Path, **programs: str) -> None:
    """Put programs into a folder: name and shell code."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, code in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/bash\n{code}\n")
        path.chmod(0o755)


def run_ci(
    clone: Path, *, broken: str = "nothing", docker: bool = False, ci: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run it as root would be, whoever runs the test."""
    programs = clone.parent / "bin"
    stand_in(
        programs, make=MAKE, id="echo 0", apt_get="true", kubectl="echo a-context", docker=f"exit {0 if docker else 1}"
    )
    return subprocess.run(
        ["bash", ".ci/run"],
        cwd=clone,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "BROKEN": broken, "CI": ci},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_ci_runs_what_the_machine_can(clone: Path) -> None:
    """Without Docker and cluster tools it runs the rest, and says what it left out."""
    done = run_ci(clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("did")] == ["did demo", "did test"]
    assert "left out: image-test (no Docker)" in done.stdout
    assert "left out: validate " in done.stdout
    assert done.stdout.splitlines()[-1] == "===== 3 passed in 0.50s ====="


def test_ci_starts_and_ends_a_cluster_of_its_own(clone: Path) -> None:
    """Checks that need an API server run while it is up, and it is taken down after them."""
    stand_in(clone.parent / "shared" / "tools" / "cluster", cluster=CLUSTER)
    done = run_ci(clone, docker=True)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith(("did", "cluster"))]
    assert steps == ["did demo", "did test", "did image-test", "cluster control-plane", "did validate", "cluster down"]
    assert "left out" not in done.stdout


def test_ci_leaves_a_running_cluster_alone(clone: Path) -> None:
    """What runs already is somebody's: it is neither used nor taken down."""
    stand_in(
        clone.parent / "shared" / "tools" / "cluster", cluster=CLUSTER.replace("status)", "status) echo etcd running")
    )
    done = run_ci(clone, docker=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cluster down" not in done.stdout
    assert "left out: validate" in done.stdout


def test_ci_clears_its_own_machine_first(clone: Path) -> None:
    """What a run that was cut off left there is nobody's."""
    stand_in(clone.parent / "shared" / "tools" / "cluster", cluster=CLUSTER)
    done = run_ci(clone, docker=True, ci="true")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for line in done.stdout.splitlines() if line.startswith("cluster")]
    assert steps == ["cluster down", "cluster control-plane", "cluster down"]


@pytest.mark.parametrize(("broken", "after"), [("test", "image-test"), ("validate", "nothing")])
def test_ci_stops_at_what_fails_and_tidies_up(clone: Path, broken: str, after: str) -> None:
    """It ends with 1, names the step, and takes down what it had started."""
    stand_in(clone.parent / "shared" / "tools" / "cluster", cluster=CLUSTER)
    done = run_ci(clone, broken=broken, docker=True)
    assert done.returncode == 1
    assert "it broke" in done.stdout
    assert f"did {after}" not in done.stdout
    assert done.stdout.splitlines()[-1] == "===== 1 failed, 2 passed in 0.50s ====="
    assert f"\n{broken:16} FAILED after" in done.stdout
    assert ("cluster down" in done.stdout) is (broken == "validate")


def install(tmp_path: Path, pip: str) -> subprocess.CompletedProcess[str]:
    """Run tools/install-locked with a pip that is a few lines of shell."""
    stand_in(tmp_path / "bin", python=pip)
    (tmp_path / "some.lock").write_text("a==1\nb==2\n")
    return subprocess.run(
        ["bash", ROOT / "tools" / "install-locked", "some.lock"],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_installing_checks_hashes_and_is_quiet(tmp_path: Path) -> None:
    """Hashes are required; what it says goes to a log, of which a few signs of life are shown."""
    done = install(
        tmp_path,
        'echo "$@"; for name in a b; do echo "Collecting $name==1"; done; echo "Installing collected packages: a"',
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "  unpacking\n"
    assert "--require-hashes -r some.lock" in (tmp_path / "some.log").read_text()


def test_a_failed_installation_shows_pips_last_words(tmp_path: Path) -> None:
    """And where the rest of them is."""
    done = install(tmp_path, "echo THESE PACKAGES DO NOT MATCH THE HASHES; exit 1")
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH" in done.stderr
    assert "some.log" in done.stderr
