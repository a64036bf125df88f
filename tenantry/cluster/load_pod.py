"""What a load pod runs: it sends predictions to one Service for a while and prints how they were answered.

Standard library only, and one file: `tenantry load` hands its text to the Python of the service's own image.
Arguments: host, port, path, seconds, connections. Prints one JSON object: `answers` by status, `failed`, `seconds`.
"""

import collections
import http.client
import json
import socket
import sys
import threading
import time

REQUESTS_A_CONNECTION = 50
"""After so many a connection is opened anew, so that pods that joined meanwhile get their share."""
WAIT_SECONDS = 30
"""How long the first connection may take."""
WORDS = "meeting offer free report click money patch invoice tuesday winner server holiday price urgent thanks order"


def wait_for(host: str, port: int, seconds: float) -> None:
    """Try until a connection opens: a new pod's network policies need a moment to be in force."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection((host, port), timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return


def send(host: str, port: int, path: str, until: float, answers: "collections.Counter[str]") -> None:
    """Send one request after the other until a moment of the monotonic clock."""
    words = WORDS.split()
    text = " ".join(words[(index * index) % len(words)] + str(index % 97) for index in range(2000))
    body = json.dumps({"text": text})
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            for _ in range(REQUESTS_A_CONNECTION):
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                answers[str(response.status)] += 1
                if time.monotonic() >= until:
                    break
        except (OSError, http.client.HTTPException) as error:
            answers[f"failed: {type(error).__name__}"] += 1
            time.sleep(0.1)
        finally:
            connection.close()


def main(arguments: "list[str]") -> None:
    """Read the arguments, send, print the counts."""
    host, port, path, seconds, connections = arguments
    answers: collections.Counter[str] = collections.Counter()
    wait_for(host, int(port), WAIT_SECONDS)
    until = time.monotonic() + float(seconds)
    threads = [
        threading.Thread(target=send, args=(host, int(port), path, until, answers)) for _ in range(int(connections))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": dict(sorted(answers.items()))}))  # noqa: T201 - the result, read from the pod's log


if __name__ == "__main__":
    main(sys.argv[1:])
