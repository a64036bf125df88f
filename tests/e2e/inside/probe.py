"""Runs in a pod: connects to every target of a list several times in parallel, and reports the outcomes.

It is sent over standard input (`python - '<JSON>'`) and uses only the standard library. The argument is
`{"attempts": n, "seconds": s, "targets": {name: [protocol, host, port]}}`, protocol one of tcp, udp and dns; the answer
on standard output is `{name: [outcome, ...]}`, where only "open" means that there was an answer.
"""

# ruff: noqa: T201 - the output is the answer

import json
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

DNS_QUERY = (
    struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0)
    + b"".join(bytes([len(part)]) + part for part in (b"kubernetes", b"default", b"svc", b"cluster", b"local"))
    + struct.pack(">BHH", 0, 1, 1)
)


def tcp(host: str, port: int, seconds: float) -> str:
    """Open a connection."""
    with socket.create_connection((host, port), timeout=seconds):
        return "open"


def datagram(host: str, port: int, seconds: float, payload: bytes) -> str:
    """Send a datagram and wait for any answer to it."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as sock:
        sock.settimeout(seconds)
        sock.connect(address)
        sock.send(payload)
        return "open" if sock.recv(512) else "empty"


def attempt(protocol: str, host: str, port: int, seconds: float) -> str:
    """One attempt: "open", or the error."""
    try:
        if protocol == "tcp":
            return tcp(host, port, seconds)
        return datagram(host, port, seconds, DNS_QUERY if protocol == "dns" else b"ping")
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror or error}"


def main() -> None:
    """Connect to all targets and print the outcomes."""
    order = json.loads(sys.argv[1])
    with ThreadPoolExecutor(32) as pool:
        waiting = {
            name: [pool.submit(attempt, protocol, host, int(port), order["seconds"]) for _ in range(order["attempts"])]
            for name, (protocol, host, port) in order["targets"].items()
        }
        print(json.dumps({name: [each.result() for each in attempts] for name, attempts in waiting.items()}))


main()
