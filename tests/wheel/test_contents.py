"""The files in the distributions: all that commands need, nothing else, and complete metadata."""

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.paths import ROOT
from tests.wheel.conftest import Distributions, tracked

MOVED = ("audit", "conformance", "constructs_lib", "imports", "inference")
EXTENSIONS = {file.stem for file in (ROOT / "inference").rglob("*.pyx")}
"""The compiled modules."""
NOT_IN_THE_SDIST = {".ci", ".github", "bench", "build", "dist", "docs", "node_modules", "tests", "tools"}
LOCKS = {"requirements-build.lock", "requirements-onnx.lock", "requirements-serving.lock"}
IMAGE = {"Dockerfile", ".dockerignore", "setup.py", *LOCKS}


def _files(wheel: Path) -> set[str]:
    names = zipfile.ZipFile(wheel).namelist()
    return {name for name in names if ".dist-info/" not in name and not name.endswith((".so", ".pyd"))}


def test_a_wheel_has_every_file_of_the_packages_and_no_other(distributions: Distributions) -> None:
    """Except sources of compiled modules, which only the image's archive contains, and notes for developers."""
    own = [name for name in tracked("tenantry", *MOVED) if not name.endswith((".pyx", "imports/crds/README.md"))]
    expected = {f"tenantry/{name}" if name.startswith(MOVED) else name for name in own}
    modules = {name for name in tracked("terraform") if "/tests/" not in name}
    expected |= {f"tenantry/shipped/{name}" for name in {"package.json", "package-lock.json", "image.tar", *modules}}
    for wheel in (distributions.compiled, distributions.pure):
        assert _files(wheel) == expected


def test_the_compiled_wheel_has_every_compiled_module_and_the_pure_one_none(distributions: Distributions) -> None:
    for wheel, modules in ((distributions.compiled, EXTENSIONS), (distributions.pure, set())):
        names = zipfile.ZipFile(wheel).namelist()
        compiled = {name.rpartition("/")[2].partition(".")[0] for name in names if name.endswith((".so", ".pyd"))}
        assert compiled == modules
    assert distributions.pure.name.endswith("-py3-none-any.whl")


def test_the_images_archive_has_all_that_the_dockerfile_copies(distributions: Distributions) -> None:
    """The service with the sources of its compiled modules, without training."""
    content = zipfile.ZipFile(distributions.pure).read("tenantry/shipped/image.tar")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        names = set(archive.getnames())
    assert names == IMAGE | {name for name in tracked("inference") if "/training/" not in name}


def test_the_sdist_has_neither_tests_nor_tools(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        top = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert not NOT_IN_THE_SDIST & top


def test_the_metadata_is_complete(distributions: Distributions) -> None:
    files = [str(path) for path in (distributions.sdist, distributions.compiled, distributions.pure)]
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
