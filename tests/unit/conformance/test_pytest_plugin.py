"""The cases under pytest: `pytest --oip-url ...`."""

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conformance import pytest_plugin
from tests.unit.conformance.protocol_server import MODEL, ProtocolServer
from tests.unit.conformance.serving import Handler, listening

ROOT = Path(__file__).parents[3]
OWN_TEST = "def test_of_the_project() -> None:\n    pass\n"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in an empty project, with the plugin."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "conformance.pytest_plugin", "-rA", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def ask(folder: Path, handler: Handler, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some cases against a server."""
    with listening(handler) as url:
        return run_pytest(folder, "--oip-url", url, "--oip-model", MODEL, *arguments)


def test_a_conforming_server_passes(tmp_path: Path) -> None:
    """Each case is a test, by its id; the project's own tests are left alone."""
    tmp_path.joinpath("test_own.py").write_text(OWN_TEST)
    done = ask(tmp_path, ProtocolServer(), "--oip-case", "id.*", "--oip-case", "shape.zero")
    assert done.returncode == 0, done.stdout
    assert "PASSED oip::id.echoed" in done.stdout
    assert "unclear: status 200" in done.stdout
    assert "test_of_the_project" not in done.stdout


def test_a_must_that_failed_fails_and_says_why(tmp_path: Path) -> None:
    """The report has what the text form has: sentence, source, request, response and command."""
    server = ProtocolServer(accepts={"errors.unknown-model"})
    done = ask(tmp_path, server, "--oip-case", "errors.unknown-model*")
    assert done.returncode == 1
    assert "FAILED oip::errors.unknown-model" in done.stdout
    assert "the request was accepted with status 200" in done.stdout
    assert "curl -si http://127.0.0.1" in done.stdout


@pytest.mark.parametrize(("strict", "code", "word"), [([], 0, "XFAIL"), (["--oip-strict"], 1, "FAILED")])
def test_a_should_that_failed_is_expected_unless_strict(
    tmp_path: Path, strict: list[str], code: int, word: str
) -> None:
    """A should is shown, and fails the run only where that was asked for."""
    done = ask(tmp_path, ProtocolServer(accepts={"shape.ragged"}), "--oip-case", "shape.ragged", *strict)
    assert (done.returncode, f"{word} oip::shape.ragged" in done.stdout) == (code, True), done.stdout


def test_levels_are_markers(tmp_path: Path) -> None:
    """`-m must` leaves the rest out."""
    done = ask(tmp_path, ProtocolServer(), "--oip-case", "id.*", "-m", "must")
    assert "id.echoed" in done.stdout
    assert "oip::id.number " not in done.stdout
    assert "deselected" in done.stdout


def test_a_server_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    """One line says what is wrong."""
    done = run_pytest(tmp_path, "--oip-url", "http://127.0.0.1:9")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "http://127.0.0.1:9 cannot be tested" in done.stderr


def test_without_a_url_nothing_changes(tmp_path: Path) -> None:
    """The project's own tests run as ever."""
    tmp_path.joinpath("test_own.py").write_text(OWN_TEST)
    done = run_pytest(tmp_path)
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_pytest_finds_the_plugin_by_itself() -> None:
    """Where the package is installed, no option is needed to load it."""
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]
    name = project["entry-points"]["pytest11"]["oip"]
    assert importlib.import_module(name).pytest_addoption is pytest_plugin.pytest_addoption
