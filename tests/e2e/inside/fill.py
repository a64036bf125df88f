"""Runs as a pod's command: writes MEBIBYTES to /tmp, in steps of 16 MiB, and then waits to be evicted.

The argument is JSON: the number of mebibytes.
"""

# ruff: noqa: T201 - the output is the answer

import json
import sys
import threading
from pathlib import Path

STEP_MIB = 16


def main() -> None:
    """Write, report, wait."""
    wanted = json.loads(sys.argv[1])
    with Path("/tmp/filled").open("wb") as file:  # noqa: S108 - the pod's own volume
        file.writelines(bytes(STEP_MIB * 2**20) for _ in range(0, wanted, STEP_MIB))
    print(json.dumps({"mebibytes": wanted}), flush=True)
    threading.Event().wait()


main()
