"""Ports for programs that a test starts."""

import secrets
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

FIRST, LAST = 20_000, 32_000
"""Below the ports that Linux gives to outgoing connections, which could take a port before the program listens."""
ATTEMPTS: Final = 100


def free_port() -> int:
    """A port of the loopback that nothing uses."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many consecutive ports of the loopback that nothing uses.

    Raises:
        RuntimeError: None were found.
    """
    for _ in range(ATTEMPTS):
        first = FIRST + secrets.randbelow(LAST - FIRST - count)
        if _are_free(range(first, first + count)):
            return first
    msg = f"{ATTEMPTS} attempts found no {count} consecutive free ports from {FIRST} to {LAST}"
    raise RuntimeError(msg)


def _are_free(ports: Iterable[int]) -> bool:
    with ExitStack() as opened:
        try:
            for port in ports:
                opened.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            return False
    return True
