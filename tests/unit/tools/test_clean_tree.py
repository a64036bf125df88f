"""The check that what is generated is what is committed."""

import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

SCRIPT = ROOT / "tools" / "clean-tree"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for arguments in (
        ["init", "--quiet"],
        [
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "Begin",
        ],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


def _run(tree: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(SCRIPT)], cwd=tree, capture_output=True, text=True, check=False)


def test_a_tree_as_committed_passes(tree: Path) -> None:
    assert _run(tree).returncode == 0


def test_a_file_that_nobody_committed_is_named(tree: Path) -> None:
    (tree / "new.yaml").write_text("a: b\n")
    done = _run(tree)
    assert done.returncode == 1
    assert "?? new.yaml" in done.stderr


def test_a_change_is_shown(tree: Path) -> None:
    file = tree / "dist.yaml"
    file.write_text("replicas: 1\n")
    subprocess.run(["git", "add", "dist.yaml"], cwd=tree, check=True)
    file.write_text("replicas: 2\n")
    done = _run(tree)
    assert done.returncode == 1
    assert "-replicas: 1\n+replicas: 2" in done.stderr
