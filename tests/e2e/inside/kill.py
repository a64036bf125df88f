"""Runs inside a pod that sees its node's processes: SIGKILL to every process of another pod, without any warning.

Argument: the other pod's UID. A process belongs to it if its control group's path names that UID; the pause process
that holds the pod's network is left alone.
"""

# ruff: noqa: T201 - what it prints is its answer

import json
import os
import signal
import sys
from pathlib import Path


def belongs(process: Path, uid: str) -> bool:
    """Whether a process is one of the pod's own containers'."""
    try:
        group = (process / "cgroup").read_text("utf-8").replace("_", "-")
        return uid in group and (process / "comm").read_text("utf-8").strip() != "pause"
    except OSError:
        return False


def main() -> None:
    """Kill, and print how many."""
    (uid,) = (json.loads(argument) for argument in sys.argv[1:])
    found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and belongs(each, uid)]
    for process in found:
        os.kill(process, signal.SIGKILL)
    print(json.dumps({"killed": len(found)}))


main()
