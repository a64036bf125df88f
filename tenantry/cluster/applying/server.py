"""Reads the metadata of many objects, which kubectl cannot do without their content, through `kubectl proxy`."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from tenantry import processes
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

PAGE: Final = 500
"""Objects per request."""
SECONDS: Final = 60.0
FIELD_MANAGER: Final = "tenantry-apply"
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_NOT_FOUND: Final = 404
_TOO_MANY_REQUESTS: Final = 429
_TRIES: Final = 10
"""How often a request is sent that the API server postpones; it names the seconds to wait."""

Metadata = dict[str, Any]


class Server(Protocol):
    """What `tenantry apply` asks the API server itself."""

    def metadata(self, kind: str, selector: str) -> list[Metadata]:
        """The metadata of all objects of a kind, as in `apps/v1/Deployment`, that have certain labels."""

    def annotate(self, namespace: str, name: str, value: str) -> None:
        """Set an annotation of a namespace that exists."""


class ApiServer:
    """The API server behind a proxy.

    Args:
        client: sends requests to the proxy.
        context: name of the cluster, for messages.
    """

    def __init__(self, client: httpx.Client, context: str) -> None:
        self._client = client
        self._context = context
        self._resources = cache(self._discover)

    def metadata(self, kind: str, selector: str) -> list[Metadata]:
        """The metadata of all objects of a kind that have certain labels; none if the cluster has no such kind.

        Args:
            kind: as in `apps/v1/Deployment`; the group of Kubernetes' first kinds is `core`.
            selector: the labels.

        Raises:
            CommandError: the API server did not answer, or refused.
        """
        version, _, name = kind.rpartition("/")
        if (resource := self._resources(version).get(name)) is None:
            return []
        found: list[Metadata] = []
        query = {"labelSelector": selector, "limit": str(PAGE)}
        while True:
            page = self._ask("GET", f"{_path(version)}/{resource}", params=query, headers={"Accept": _METADATA}).json()
            found += (each["metadata"] for each in page["items"] or ())
            if not (rest := page["metadata"].get("continue")):
                return found
            query["continue"] = rest

    def annotate(self, namespace: str, name: str, value: str) -> None:
        """Set an annotation of a namespace that exists.

        Raises:
            CommandError: the API server did not answer, or refused.
        """
        self._ask(
            "PATCH",
            f"/api/v1/namespaces/{namespace}",
            params={"fieldManager": FIELD_MANAGER},
            headers={"Content-Type": "application/merge-patch+json"},
            json={"metadata": {"annotations": {name: value}}},
        )

    def _discover(self, version: str) -> dict[str, str]:
        """The kinds of a version of an API group, each with the name that addresses use."""
        answer = self._ask("GET", _path(version), missing_ok=True)
        if answer.status_code == _NOT_FOUND:
            return {}
        return {each["kind"]: each["name"] for each in answer.json()["resources"] if "/" not in each["name"]}

    def _ask(self, method: str, path: str, *, missing_ok: bool = False, **request: Any) -> httpx.Response:
        for _ in range(_TRIES):
            try:
                answer = self._client.request(method, path, **request)
            except httpx.HTTPError as error:
                raise CommandError(f"{method} {path} failed in context {self._context}: {error}") from error
            if answer.status_code != _TOO_MANY_REQUESTS:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.is_error and not (missing_ok and answer.status_code == _NOT_FOUND):
            raise CommandError(
                f"{method} {path} failed in context {self._context}: {answer.status_code} {answer.text[:500]}"
            )
        return answer


@contextmanager
def connect(kubectl: Kubectl) -> Iterator[Server]:
    """Reach the API server as kubectl does, through a socket that only this user can open, until the block ends.

    Raises:
        CommandError: the proxy did not start; the message is kubectl's own.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        socket, log = Path(folder, "api"), Path(folder, "log")
        with log.open("wb") as output:
            command = kubectl.command("proxy", "--unix-socket", str(socket))
            process = processes.start(command, stdout=output, stderr=output)
        try:
            while not log.read_bytes().startswith(b"Starting to serve"):
                if process.poll() is not None:
                    raise CommandError(f"kubectl proxy failed in context {kubectl.context}: {log.read_text().strip()}")
                processes.wait_a_little()
            transport = httpx.HTTPTransport(uds=str(socket))
            with httpx.Client(transport=transport, base_url="http://localhost", timeout=SECONDS) as client:
                yield ApiServer(client, kubectl.context)
        finally:
            processes.end([process])


def _path(version: str) -> str:
    return f"/api/{version.removeprefix('core/')}" if version.startswith("core/") else f"/apis/{version}"
