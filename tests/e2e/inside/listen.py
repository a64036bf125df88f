"""Runs as a pod's command: answers on the TCP and UDP ports that its arguments name, as in `tcp:8000 udp:8000`.

A TCP connection that sends something gets an HTTP answer: what it sent is printed as one line of JSON, and the body is
the environment variable ANSWER. A datagram comes back as it was.
"""

# ruff: noqa: T201 - what it prints is its answer

import json
import os
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler


class Answer(BaseHTTPRequestHandler):
    """Answers every request, and prints it."""

    def do_GET(self) -> None:
        """Print the request, answer 200."""
        length = int(self.headers.get("Content-Length") or 0)
        asked = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode(errors="replace")}
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
    for argument in sys.argv[1:]:
        protocol, _, port = argument.partition(":")
        serve = Server(("", int(port)), Answer).serve_forever if protocol == "tcp" else None
        thread = threading.Thread(target=serve or echo, args=() if serve else (int(port),))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


main()
