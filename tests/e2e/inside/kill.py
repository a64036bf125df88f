"""Runs in a pod that sees its node's processes: sends SIGKILL to every process of another pod.

Argument: the other pod's UID. A process belongs to it if the path of its control group contains that UID; the pause
process, which holds the pod's network, is not killed.
"""

# ruff: noqa: T201 - the output is the answer

import json
import os
import signal
import sys
from pathlib import Path


def belongs(process: Path, uid: str) -> bool:
    """Whether a process belongs to one of the pod's containers."""
    try:
        group = (process / "cgroup").read_text("utf-8").replace("_", "-")
        return uid in group and (process / "comm").read_text("utf-8").strip() != "pause"
    except OSError:
        return False


def main() -> None:
    """Kill the processes, and print their number."""
    (uid,) = (json.loads(argument) for argument in sys.argv[1:])
    found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and belongs(each, uid)]
    for process in found:
        os.kill(process, signal.SIGKILL)
    print(json.dumps({"killed": len(found)}))


main()
