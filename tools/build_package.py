#!/usr/bin/env python3
"""Build the sdist, and from its files the wheel without compiled modules; the wheel twice, to compare both.

    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) tools/build_package.py FOLDER

The interpreter needs the packages of requirements-build.lock. Compiled wheels are built from the same sdist by
cibuildwheel (`[tool.cibuildwheel]` in pyproject.toml).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

TIMEOUT_SECONDS: Final = 600
BUILD: Final = "from setuptools import build_meta; build_meta.build_{kind}({folder!r})"


def build(python: str, source: Path, kind: str, folder: Path, **variables: str) -> Path:
    """Build the `sdist` or `wheel` of a source tree into a new folder, as pip does without isolation.

    Raises:
        subprocess.CalledProcessError: It cannot be built; the output of the build says why.
    """
    folder.mkdir()
    command = [python, "-c", BUILD.format(kind=kind, folder=str(folder))]
    environment = {**os.environ, **variables}
    environment.pop("PYTHONPATH", None)
    subprocess.run(command, cwd=source, env=environment, stdout=sys.stderr, check=True, timeout=TIMEOUT_SECONDS)
    (built,) = folder.iterdir()
    return built


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist; return its source tree."""
    folder.mkdir()
    # Not shutil.unpack_archive: its `filter` came with Python 3.11.4, and Debian 12 has 3.11.2.
    subprocess.run(["tar", "-xzf", sdist, "-C", folder], check=True, timeout=TIMEOUT_SECONDS)
    (source,) = folder.iterdir()
    return source


def main(target: Path) -> None:
    """Build into a new folder.

    Raises:
        SystemExit: The two wheels differ.
    """
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sdist = build(sys.executable, Path.cwd(), "sdist", folder / "sdist")
        wheels = []
        for attempt in ("first", "second"):
            source = unpack(sdist, folder / f"{attempt}-source")
            wheels.append(build(sys.executable, source, "wheel", folder / attempt, TENANTRY_PURE="1"))
        if wheels[0].read_bytes() != wheels[1].read_bytes():
            sys.exit(f"two builds of {wheels[0].name} differ: is SOURCE_DATE_EPOCH set?")
        for file in (sdist, wheels[0]):
            shutil.copy(file, target)
            print(target / file.name)  # noqa: T201 - the result


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and one argument
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
