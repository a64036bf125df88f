"""Plays the answers of an API server that tests/clusters describes, in kubectl's place."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from tenantry.cluster.kubectl import Kubectl

CLUSTERS: Final = Path(__file__).parent / "clusters"
Document = dict[str, Any]


def recorded(name: str) -> Document:
    """The document of a cluster."""
    document: Document = yaml.safe_load((CLUSTERS / f"{name}.yaml").read_text("utf-8"))
    return document


class RecordedCluster(Kubectl):
    """A kubectl for a cluster that answers as a document says; it keeps what it was asked.

    Attributes:
        document: the cluster; tests may change it.
        asked: the arguments of every call.
    """

    document: Document
    asked: list[tuple[str, ...]]

    def __init__(self, document: Document) -> None:
        super().__init__(kubeconfig=None, context="recorded")
        object.__setattr__(self, "document", document)
        object.__setattr__(self, "asked", [])

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The answer to a command of `tenantry preflight`; any other command fails."""
        self.asked.append(arguments)
        match arguments:
            case ("get", "--raw", "/readyz", *_):
                return _done("ok")
            case ("get", "--raw", address, *_):
                return self._get(address)
            case ("create", "--filename", "-", "--output", "json", *_):
                return _done("\n".join(json.dumps(self._reviewed(each)) for each in json.loads(stdin or "")["items"]))
            case ("auth", "whoami", *_):
                return _done("someone@example.com")
            case ("config", "view", *_):
                return _done("https://192.0.2.1")
            case ("label", "--overwrite", "namespace", "kube-system", _, "--dry-run=server", *_):
                return _done("labeled", "".join(f"Warning: {each}\n" for each in self.document["warnings"]))
        raise AssertionError(f"unexpected call of kubectl: {arguments}")

    def _get(self, address: str) -> subprocess.CompletedProcess[str]:
        found = self.document["get"].get(address.partition("?")[0], {"error": "NotFound"})
        if "error" in found:
            return _failed(f"Error from server ({found['error']}): {address}")
        return _done(json.dumps(found))

    def _reviewed(self, review: Document) -> Document:
        attributes = review["spec"]["resourceAttributes"]
        names = {attributes["resource"]}
        if not attributes["namespace"]:
            names.add(f"{attributes['verb']} {attributes['resource']}")
        return {**review, "status": {"allowed": not names & set(self.document["denied"])}}


def _done(stdout: str, stderr: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess((), 0, stdout, stderr)


def _failed(stderr: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess((), 1, "", stderr)
