"""Runs inside a pod: burns all the CPU that it gets for some seconds, and says how much that was."""

# ruff: noqa: T201 - what it prints is its answer

import json
import sys
import time


def main() -> None:
    """Burn."""
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        sum(range(10_000))
    print(json.dumps({"cpu_seconds": round(time.process_time(), 1)}))


main()
