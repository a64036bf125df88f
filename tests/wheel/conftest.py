"""Builds the source distribution and two wheels from a clean copy, and installs them where nothing else is.

Two variables change what is tested:
    DISTRIBUTIONS: a folder with the files of a release, which are then tested instead of being built.
    WHEEL_PYTHON: another interpreter, which builds and runs the wheels.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.paths import ROOT
from tools.build_package import build, unpack

Done = subprocess.CompletedProcess[str]
TIMEOUT_SECONDS: Final = 600
PYTHON: Final = os.environ.get("WHEEL_PYTHON", sys.executable)


@dataclass(frozen=True)
class Distributions:
    """The files that a release would upload."""

    sdist: Path
    compiled: Path
    pure: Path


@dataclass(frozen=True)
class Environment:
    """A new virtual environment, an empty home folder and an empty project, outside the clone."""

    bin: Path
    home: Path
    project: Path

    def run(self, *command: str, code: int | None = 0, **variables: str) -> Done:
        """Run a program of the environment in the project, and check its exit code unless `code` is None."""
        environment = {"HOME": str(self.home), "PATH": f"{self.bin}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        settings = re.compile(r"(PIP|NPM_CONFIG|SSL|NODE)_", re.IGNORECASE)  # how this machine reaches its registries
        passed = {name: value for name, value in os.environ.items() if settings.match(name)}
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.project,
            env={**passed, **environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def install(self, *what: str | Path) -> None:
        """Install with pip, held to the versions of the lock."""
        self.run("pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt", *map(str, what))


def _python(*arguments: str) -> str:
    """What the interpreter under test prints."""
    return subprocess.run([PYTHON, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with what builds the wheels: this one, or the one under test with the packages of the lock."""
    if sys.executable == PYTHON:
        return PYTHON
    folder = tmp_path_factory.mktemp("builder")
    _python("-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    lock = str(ROOT / "requirements-build.lock")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock], check=True)
    return python


def tracked(*folders: str) -> list[str]:
    """The files of the repository that a commit of the present state would contain."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Distributions:
    """The given files; without them an sdist of the files that git knows, and both wheels from the unpacked sdist."""
    if given := os.environ.get("DISTRIBUTIONS"):
        return _chosen(Path(given))
    python = request.getfixturevalue("builder")
    folder = tmp_path_factory.mktemp("build")
    clean = folder / "clean"
    for name in tracked():
        (clean / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clean / name)
    sdist = build(python, clean, "sdist", folder / "sdist")
    source = unpack(sdist, folder / "unpacked")
    compiled = build(python, source, "wheel", folder / "compiled")
    shutil.rmtree(source / "build")
    pure = build(python, source, "wheel", folder / "pure", TENANTRY_PURE="1")
    return Distributions(sdist, compiled, pure)


def _chosen(folder: Path) -> Distributions:
    """The sdist, the wheel for the interpreter under test, and the wheel for all others."""
    code = "import platform, sys; print('cp%d%d' % sys.version_info[:2], sys.platform, platform.machine())"
    version, system, machine = _python("-c", code).split()
    system = {"darwin": "macosx"}.get(system, system)
    wheels = [path for path in folder.glob("*.whl") if f"-{version}-" in path.name and system in path.name]
    (compiled,) = (path for path in wheels if path.stem.endswith(f"_{machine}"))
    (sdist,), (pure,) = folder.glob("*.tar.gz"), folder.glob("*-py3-none-any.whl")
    return Distributions(sdist, compiled, pure)


@pytest.fixture(scope="session")
def base(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel alone, without extras, and a new project."""
    folder = tmp_path_factory.mktemp("user")
    _python("-m", "venv", str(folder / "venv"))
    made = Environment(folder / "venv" / "bin", folder / "home", folder / "project")
    made.home.mkdir()
    made.project.mkdir()
    lock = (ROOT / "requirements.lock").read_text("utf-8") + (ROOT / "requirements-dev.lock").read_text("utf-8")
    pins = sorted(set(re.findall(r"^[A-Za-z0-9._-]+==[^\s;]+", lock, re.MULTILINE)))
    (made.project / "constraints.txt").write_text("\n".join(_single(pins)), "utf-8")
    made.install(distributions.compiled)
    made.run("tenantry", "init", "--terraform")
    return made


def _single(pins: Sequence[str]) -> list[str]:
    """Without packages that have another version on another Python: pip finds theirs."""
    names = [pin.partition("==")[0] for pin in pins]
    return [pin for pin, name in zip(pins, names, strict=True) if names.count(name) == 1]


@pytest.fixture(scope="session")
def full(base: Environment, distributions: Distributions) -> Environment:
    """The same environment with both extras, and what the project's tests need."""
    base.install(f"{distributions.compiled}[serve,train]", "pytest", "syrupy")
    return base
