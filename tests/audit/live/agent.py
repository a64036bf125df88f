"""Runs inside a pod for as long as its standard input is open: probes what each line asks for, all at once.

A line is `{"seconds": s, "targets": [[protocol, host, port], ...]}`, protocol tcp or udp; the answer is one line of
JSON, a list of outcomes in the same order, where "open" is the one outcome that means an answer came back.
"""

# ruff: noqa: T201 - what it prints is its answer

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def tcp(host: str, port: int, seconds: float) -> str:
    """Open a connection."""
    with socket.create_connection((host, port), timeout=seconds):
        return "open"


def udp(host: str, port: int, seconds: float) -> str:
    """Send a datagram and wait until it comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.connect((host, port))
        sock.send(b"ping")
        return "open" if sock.recv(512) else "empty"


def attempt(protocol: str, host: str, port: int, seconds: float) -> str:
    """One attempt: "open", or the name of what went wrong."""
    try:
        return (tcp if protocol == "tcp" else udp)(host, port, seconds)
    except OSError as error:
        return type(error).__name__


def main() -> None:
    """Answer line by line."""
    with ThreadPoolExecutor(64) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            targets: list[tuple[str, str, int]] = order["targets"]
            waiting = [pool.submit(attempt, *target, seconds=order["seconds"]) for target in targets]
            print(json.dumps([each.result() for each in waiting]), flush=True)


main()
