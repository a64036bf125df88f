"""The HTTP APIs of the cluster's Prometheus and Alertmanager."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.cluster import LiveCluster

NAMESPACE: Final = "monitoring"


@dataclass(frozen=True)
class Api:
    """One of the two APIs, through a forwarded port."""

    address: str

    def get(self, path: str, **parameters: str) -> Any:
        """Send a GET request; return the decoded answer."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return self._ask(urllib.request.Request(f"{self.address}{path}{query}"))  # noqa: S310 - loopback

    def post(self, path: str, body: object) -> Any:
        """Send a POST request; return the decoded answer."""
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(f"{self.address}{path}", json.dumps(body).encode(), headers))  # noqa: S310

    def delete(self, path: str) -> None:
        """Send a DELETE request."""
        self._ask(urllib.request.Request(f"{self.address}{path}", method="DELETE"))  # noqa: S310 - loopback

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        series: list[dict[str, Any]] = self.get("/api/v1/query", query=expression)["data"]["result"]
        return series

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            text = response.read()
        return json.loads(text) if text else None


@contextmanager
def prometheus(cluster: LiveCluster) -> Iterator[Api]:
    """The Prometheus in the namespace `monitoring`."""
    with cluster.kubectl.port_forward(NAMESPACE, "service/prometheus-operated", 9090) as port:
        yield Api(f"http://127.0.0.1:{port}")


@contextmanager
def alertmanager(cluster: LiveCluster) -> Iterator[Api]:
    """The Alertmanager in the namespace `monitoring`."""
    with cluster.kubectl.port_forward(NAMESPACE, "service/alertmanager-operated", 9093) as port:
        yield Api(f"http://127.0.0.1:{port}")
