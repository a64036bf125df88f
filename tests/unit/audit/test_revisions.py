"""Git revisions as the sides of `tenantry audit diff`: what git cannot read is an error, never an empty side."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.unit.audit.manifests import namespace

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", "diff", *arguments])


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the tags v1 and v2, which differ in one file, in which the command runs."""
    folder = tmp_path / "repository"
    (folder / "deploy").mkdir(parents=True)
    monkeypatch.chdir(folder)
    git("init", "--quiet")
    for number, names in ((1, ["shop"]), (2, ["shop", "bank"])):
        Path("deploy/all.yaml").write_text("".join(namespace(name) for name in names))
        git("add", ".")
        git("commit", "--quiet", "--message", f"{number}")
        git("tag", f"v{number}")
    return folder


def test_two_revisions_are_compared_below_a_path() -> None:
    result = run("v1", "v2", "--path", "deploy")
    assert result.exit_code == 0, result.output
    assert "no policy restricts the ingress of new pods" in result.stdout


def test_a_path_that_neither_revision_has_is_wrong_input() -> None:
    result = run("v1", "v2", "--path", "wrong")
    assert result.exit_code == 2, result.output
    assert "neither side holds a manifest below wrong: name other files with --path" in result.stderr
    assert result.stdout == ""


def test_a_path_outside_the_repository_is_wrong_input() -> None:
    result = run("v1", "v2", "--path", "deploy", "--path", "../other")
    assert result.exit_code == 2, result.output
    assert "'v1': git cannot list deploy, ../other; name files and folders of this repository" in result.stderr


def test_a_file_that_git_cannot_read_is_an_error(repository: Path) -> None:
    """As in a partial clone without network: the tree names the file, and its content is missing."""
    blob = git("rev-parse", "v2:deploy/all.yaml")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    result = run("v1", "v2", "--path", "deploy")
    assert result.exit_code == 2, result.output
    assert "v2:deploy/all.yaml: git cannot read it; fetch the whole revision first" in result.stderr


def test_without_git_the_command_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = run("v1", "v2", "--path", "deploy")
    assert result.exit_code == 2, result.output
    assert "comparing with a revision needs git on PATH" in result.stderr
