"""Two tenants with fixed names, and their manifests: tests use these, and never the repository's own file."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tests.paths import ROOT

EXAMPLE: Final = ROOT / "tests" / "example" / "platform.yaml"


@cache
def example_dist() -> Path:
    """The folder of the example's manifests, synthesized once per process and deleted at its end."""
    folder = Path(tempfile.mkdtemp(prefix="tenantry-example-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write(Platform.load(EXAMPLE), folder / "dist")
    return folder / "dist"
