"""How commands reach a service of the monitoring stack: by its address, or through kubectl."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tenantry.errors import InputError


class Endpoint(NamedTuple):
    """A service that the Prometheus Operator creates.

    Attributes:
        option: Option of commands that names its address.
        service: Its Service, in the namespace of the monitoring stack.
        port: TCP port.
    """

    option: str
    service: str
    port: int

    @property
    def default(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{self.port}"


ALERTMANAGER = Endpoint("--alertmanager", "service/alertmanager-operated", 9093)
PROMETHEUS = Endpoint("--prometheus", "service/prometheus-operated", 9090)


def without_password(address: str) -> str:
    """An address as messages show it: without user and password."""
    return re.sub(r"//[^/]*@", "//", address)


@contextmanager
def reach(endpoint: Endpoint, file: Path, address: str | None, *, port_forward: bool) -> Iterator[str]:
    """The address of a service, as long as the block runs.

    Args:
        endpoint: The service.
        file: platform.yaml, which names the namespace of the monitoring stack.
        address: What the user named.
        port_forward: Whether to reach it through kubectl.

    Raises:
        InputError: Both ways are named.
        CommandError: The port-forward does not start.
    """
    if not port_forward:
        yield address or endpoint.default
        return
    if address:
        raise InputError(f"{endpoint.option} and --port-forward exclude each other; give one of them")
    from constructs_lib.platform import Platform
    from tenantry.cluster.kubectl import Kubectl

    namespace = Platform.load(file).platform.monitoring.namespace
    with Kubectl.find().port_forward(namespace, endpoint.service, endpoint.port) as port:
        yield f"http://127.0.0.1:{port}"
