"""A port of this machine that leads to a Service of the cluster, as long as it is needed."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tenantry import processes
from tenantry.errors import CommandError

_FORWARDING: Final = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(service: str, port: int, *, namespace: str) -> Iterator[int]:
    """Forward a free port of the loopback address to `service` in the cluster that KUBECONFIG names; yields that port.

    Raises:
        CommandError: there is no kubectl, or it cannot forward; the message is kubectl's.
    """
    command = ["kubectl", "--namespace", namespace, "port-forward", "--address", "127.0.0.1", f"service/{service}"]
    try:
        process = processes.start([*command, f":{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        raise CommandError("kubectl is not on PATH: install it, or give the store's address by --endpoint") from error
    try:
        # kubectl says the port once it listens, or closes its output when it cannot.
        said = process.stdout.readline() if process.stdout else b""
        found = _FORWARDING.match(said)
        if not found:
            reason = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise CommandError(f"kubectl cannot reach service/{service} in namespace {namespace}: {reason}")
        yield int(found[1])
    finally:
        processes.end([process])
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
