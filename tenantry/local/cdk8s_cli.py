"""`cdk8s` of the environment: the CLI that `npm ci` installed in the project, with this environment's Node."""

import os
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = Path("node_modules/.bin/cdk8s")


def main() -> None:
    """Replace this process by the project's cdk8s CLI."""
    if not PROGRAM.exists():
        cache = (
            "" if os.access(Path.home(), os.W_OK) else "npm_config_cache=build/npm "
        )  # npm's own is in the home folder
        sys.exit(f"error: the cdk8s CLI is not installed in this folder; run: {cache}npm ci")
    # Without this, the CLI asks a server for a newer version and prints a trace where it gets no answer.
    environment = os.environ | {"CDK8S_CHECK_UPGRADE": "false"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    os.execve(PROGRAM, ["cdk8s", *sys.argv[1:]], environment)  # noqa: S606 - no shell is involved
