"""Finds the programs of the monitoring stack that the rule tests and `tenantry monitor` run.

`python -m tenantry.programs NAME` prints where one is.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from tenantry.errors import CommandError

ROOT: Final = Path(__file__).resolve().parent.parent
UNPACKED: Final = ROOT / "build" / "tools" / "usr" / "bin"
"""Where `make monitoring-tools` unpacks packages."""
_ALSO_CALLED: Final = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}
"""Debian renames one program."""


def find(name: str) -> str:
    """The path of a program: from PATH, or from what was unpacked here.

    Raises:
        CommandError: it is not installed; the message says how to get it.
    """
    folders = os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED)])
    for called in _ALSO_CALLED.get(name, (name,)):
        if found := shutil.which(called, path=folders):
            return found
    raise CommandError(
        f"{name} is not on PATH: `make monitoring-tools` unpacks it from the distribution's package, "
        "or install Prometheus and Alertmanager and put them on PATH"
    )


if __name__ == "__main__":
    try:
        print(find(sys.argv[1]))  # noqa: T201 - the answer
    except CommandError as error:
        sys.exit(f"error: {error}")
