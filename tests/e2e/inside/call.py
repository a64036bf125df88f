"""Runs in a pod: sends requests to a gateway, each on a connection of its own, and reports the answers.

The first argument is `{"address": ..., "port": n, "authority": PEM}`; with an authority the connections use TLS. The
second is a list of requests: `{"host": ..., "path": ...}`, and `method`, `headers` and `body` where they differ from a
plain GET. The answer is a list of `{"status": n, "kind": media type, "text": start of the body}`, in the same order.
"""

# ruff: noqa: T201 - the output is the answer

import http.client
import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SECONDS = 20
CHARACTERS = 4000


def call(place: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Send one request; status 0 means that there was no answer."""
    connection = http.client.HTTPConnection(request["host"], timeout=SECONDS)
    try:
        connection.sock = socket.create_connection((place["address"], place["port"]), SECONDS)
        if place["authority"]:
            trust = ssl.create_default_context(cadata=place["authority"])
            connection.sock = trust.wrap_socket(connection.sock, server_hostname=request["host"])
        headers = request.get("headers", {})
        connection.request(request.get("method", "GET"), request["path"], request.get("body"), headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")[:CHARACTERS]
        return {"status": answer.status, "kind": answer.headers.get("Content-Type", ""), "text": text}
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "kind": "", "text": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()


def main() -> None:
    """Send all requests and print the answers."""
    place, requests = (json.loads(argument) for argument in sys.argv[1:])
    with ThreadPoolExecutor(8) as pool:
        print(json.dumps(list(pool.map(lambda request: call(place, request), requests))))


main()
