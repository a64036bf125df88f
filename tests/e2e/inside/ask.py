"""Runs in a pod: sends requests to the service of a tenant, each on a connection of its own, and reports the answers.

The first argument is `{"host": ..., "path": ..., "port": n}`, the second a list of `{header: value}`, one per request.
The answer is a list of the statuses, in order; 0 if there was no answer.
"""

# ruff: noqa: T201 - the output is the answer

import http.client
import json
import sys

BODY = json.dumps({"text": "Win a free prize now"})


def ask(place: dict[str, str], headers: dict[str, str]) -> int:
    """Send one request; return the status."""
    connection = http.client.HTTPConnection(place["host"], int(place["port"]), timeout=5)
    try:
        method, body = ("POST", BODY) if place["path"] == "/predict" else ("GET", None)
        connection.request(method, place["path"], body, headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def main() -> None:
    """Send all requests and print the statuses."""
    place, requests = (json.loads(argument) for argument in sys.argv[1:])
    print(json.dumps([ask(place, headers) for headers in requests]))


main()
