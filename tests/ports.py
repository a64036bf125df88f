"""Ports for programs that a test starts."""

import socket


def free_port() -> int:
    """A port of the loopback that nothing uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
