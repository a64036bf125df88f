"""Runs in a pod: uses all the CPU that it can get for some seconds, and reports how much it got."""

# ruff: noqa: T201 - the output is the answer

import json
import sys
import time


def main() -> None:
    """Use CPU, and report."""
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        sum(range(10_000))
    print(json.dumps({"cpu_seconds": round(time.process_time(), 1)}))


main()
