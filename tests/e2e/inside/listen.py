"""Runs as a pod's command: answers on the TCP and UDP ports of its arguments, such as `tcp:8000 udp:8000`.

A TCP client gets an HTTP answer whose body is the environment variable ANSWER; its request is printed as one line of
JSON. A datagram is sent back unchanged.

`address:A` adds the address A to the node while the pod runs (it needs the host network and permission to change it),
unless the address already answers; `tcp:80@A` listens only there.
"""

# ruff: noqa: T201 - the output is the answer

import json
import os
import signal
import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler

PRINTING = threading.Lock()
"""Requests arrive at the same time; their lines must not mix."""


class PrintingHandler(BaseHTTPRequestHandler):
    """Answers and prints every request."""

    def do_GET(self) -> None:
        """Print the request, answer 200."""
        length = int(self.headers.get("Content-Length") or 0)
        request = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode(errors="replace")}
        with PRINTING:
            print(json.dumps(request), flush=True)
        answer = os.environ.get("ANSWER", "ok\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - the base class requires this name

    def log_message(self, *_: object) -> None:
        """Print nothing else."""


class TcpServer(socketserver.ThreadingTCPServer):
    """A TCP server whose port can be reused at once."""

    allow_reuse_address = True
    daemon_threads = True


ADD, REMOVE = (20, 0x605), (21, 0x5)
"""Netlink's message types for adding and removing an address, and their flags."""


def change_address(address: str, message: tuple[int, int]) -> None:
    """Add an address to the loopback interface, or remove it."""
    payload = struct.pack("BBBBI", socket.AF_INET, 32, 0, 254, socket.if_nametoindex("lo"))
    for attribute in (1, 2):
        payload += struct.pack("HH4s", 8, attribute, socket.inet_aton(address))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(struct.pack("IHHII", 16 + len(payload), *message, 1, 0) + payload)
        (error,) = struct.unpack("i", sock.recv(4096)[16:20])
    if error not in {0, -17}:  # the interface has the address
        raise OSError(-error, os.strerror(-error))


def hold_address(address: str) -> bool:
    """Add an address until the pod ends; return whether it was unused."""
    try:
        socket.create_connection((address, 80), timeout=1).close()
    except OSError:
        change_address(address, ADD)

        def let_go(*_: object) -> None:
            change_address(address, REMOVE)
            os._exit(0)

        signal.signal(signal.SIGTERM, let_go)
        return True
    return False


def echo(port: int) -> None:
    """Send every datagram back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", port))
        while True:
            payload, sender = sock.recvfrom(512)
            sock.sendto(payload, sender)


def main() -> None:
    """Listen until the pod ends."""
    threads = []
    missing = set()
    for argument in sys.argv[1:]:
        protocol, _, rest = argument.partition(":")
        port, _, address = rest.partition("@")
        if protocol == "address" and not hold_address(rest):
            missing.add(rest)
        if protocol == "address" or address in missing:
            continue
        serve = TcpServer((address, int(port)), PrintingHandler).serve_forever if protocol == "tcp" else None
        thread = threading.Thread(target=serve or echo, args=() if serve else (int(port),))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


main()
