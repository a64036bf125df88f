"""Runs as a pod's command: connects to one address repeatedly from its start, and reports when it was open.

Arguments: host, port, seconds. One line of JSON at the end:
`{"attempts": n, "open": n, "last_open_ms": milliseconds after start or null, "first_closed_ms": ...}`. Then it waits,
so that its log can be read.
"""

# ruff: noqa: T201 - the output is the answer

import json
import socket
import sys
import threading
import time


def main() -> None:
    """Connect until the time is over."""
    host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    begin = time.monotonic()
    attempts, opened, last_open, first_closed = 0, 0, None, None
    while (now := time.monotonic() - begin) < seconds:
        attempts += 1
        try:
            socket.create_connection((host, port), timeout=0.2).close()
            opened, last_open = opened + 1, round(now * 1000)
        except OSError:
            first_closed = round(now * 1000) if first_closed is None else first_closed
        time.sleep(0.01)
    print(
        json.dumps({"attempts": attempts, "open": opened, "last_open_ms": last_open, "first_closed_ms": first_closed}),
        flush=True,
    )
    threading.Event().wait()


main()
