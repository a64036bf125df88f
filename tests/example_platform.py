"""Two tenants with fixed names, and their manifests: tests use these, and never the repository's own file."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tests.e2e import access
from tests.paths import ROOT

EXAMPLE: Final = ROOT / "tests" / "example" / "platform.yaml"


@cache
def example_dist() -> Path:
    """The folder of the example's manifests, synthesized once per process and deleted at its end."""
    return _written(EXAMPLE, _folder())


@cache
def accessible_dist() -> Path:
    """The same with the callers that the end-to-end suite adds."""
    folder = _folder()
    return _written(access.write(access.with_access(EXAMPLE, gateway=True), folder / "platform.yaml"), folder)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tenantry-example-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _written(file: Path, folder: Path) -> Path:
    write(Platform.load(file), folder / "dist")
    return folder / "dist"
