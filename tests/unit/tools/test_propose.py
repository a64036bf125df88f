"""The script that turns a regenerated file into a pull request."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

SCRIPT = ROOT / "tools" / "propose"
GH = """\
#!/bin/sh
# Stands for GitHub: knows the default branch, whether a request is open, and what it was told.
printf '%s\\n' "$*" >>"$GH_LOG"
case "$1 $2" in
  "repo view") echo main ;;
  "pr list") if grep -q "^pr create" "$GH_LOG"; then echo 1; else echo 0; fi ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with a remote, and a `gh` that writes down what it is asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GH_LOG", str(tmp_path / "gh.log"))
    (tmp_path / "gh.log").touch()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    _git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin")
    _git(tmp_path, "clone", "--quiet", "origin", "clone")
    clone = tmp_path / "clone"
    _git(clone, "switch", "--quiet", "--create", "main")
    (clone / "platform.yaml").write_text("image: old\n")
    _git(clone, "add", "--all")
    _git(clone, "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "Begin")
    _git(clone, "push", "--quiet", "origin", "main")
    return clone


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def _propose(clone: Path, title: str = "Bump the image") -> str:
    command = [str(SCRIPT), "release/image", title, "A body; with `quotes` and $(commands)", "platform.yaml"]
    return subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout


def _asked(clone: Path) -> list[str]:
    return [line for line in (clone.parent / "gh.log").read_text().splitlines() if line.startswith("pr ")]


def test_nothing_changed_means_no_branch_and_no_request(clone: Path) -> None:
    assert _propose(clone) == "nothing changed\n"
    assert _asked(clone) == []
    assert _git(clone, "ls-remote", "--heads", "origin", "release/image") == ""


def test_a_change_of_the_named_paths_becomes_a_request(clone: Path) -> None:
    (clone / "platform.yaml").write_text("image: new\n")
    (clone / "stray").write_text("not named")
    _propose(clone)
    assert _git(clone, "show", "origin/release/image:platform.yaml") == "image: new\n"
    assert _git(clone, "diff", "--name-only", "origin/main", "origin/release/image") == "platform.yaml\n"
    assert _asked(clone)[-1] == (
        "pr create --head release/image --base main --title Bump the image --body A body; with `quotes` and $(commands)"
    )
    assert _git(clone, "show", "origin/main:platform.yaml") == "image: old\n"


def test_a_second_change_updates_the_open_request(clone: Path) -> None:
    for image in ("new", "newer"):
        _git(clone, "switch", "--quiet", "main")
        (clone / "platform.yaml").write_text(f"image: {image}\n")
        _propose(clone, f"Bump the image to {image}")
    assert _git(clone, "show", "origin/release/image:platform.yaml") == "image: newer\n"
    assert [line.split()[1] for line in _asked(clone)] == ["list", "create", "list", "edit"]
    assert _git(clone, "rev-list", "--count", "origin/main..origin/release/image") == "1\n"
