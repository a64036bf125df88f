"""Runs as a pod's command: answers on the TCP and UDP ports that its arguments name, as in `tcp:8000 udp:8000`.

A TCP connection that sends something gets an HTTP answer: what it sent is printed as one line of JSON, and the body is
the environment variable ANSWER. A datagram comes back as it was.

`address:A` gives the node the address A for as long as the pod lives (it needs the host's network and the right to
change it), unless somebody answers there already; `tcp:80@A` listens there only.
"""

# ruff: noqa: T201 - what it prints is its answer

import json
import os
import signal
import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler

SAYING = threading.Lock()
"""Requests come at the same time; their lines must not mix."""


class Answer(BaseHTTPRequestHandler):
    """Answers every request, and prints it."""

    def do_GET(self) -> None:
        """Print the request, answer 200."""
        length = int(self.headers.get("Content-Length") or 0)
        asked = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode(errors="replace")}
        with SAYING:
            print(json.dumps(asked), flush=True)
        answer = os.environ.get("ANSWER", "ok\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - the base class wants the method's name

    def log_message(self, *_: object) -> None:
        """Say nothing else."""


class Server(socketserver.ThreadingTCPServer):
    """A TCP server whose port is free again at once."""

    allow_reuse_address = True
    daemon_threads = True


ADD, REMOVE = (20, 0x605), (21, 0x5)
"""Netlink's messages for a new and for a removed address, and their flags."""


def change_address(address: str, message: tuple[int, int]) -> None:
    """Give the loopback interface an address, or take it away."""
    payload = struct.pack("BBBBI", socket.AF_INET, 32, 0, 254, socket.if_nametoindex("lo"))
    for attribute in (1, 2):
        payload += struct.pack("HH4s", 8, attribute, socket.inet_aton(address))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(struct.pack("IHHII", 16 + len(payload), *message, 1, 0) + payload)
        (error,) = struct.unpack("i", sock.recv(4096)[16:20])
    if error not in {0, -17}:  # it has it already
        raise OSError(-error, os.strerror(-error))


def hold_address(address: str) -> bool:
    """Hold an address until the pod ends; whether that was possible, since nobody else answers there."""
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
        serve = Server((address, int(port)), Answer).serve_forever if protocol == "tcp" else None
        thread = threading.Thread(target=serve or echo, args=() if serve else (int(port),))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


main()
