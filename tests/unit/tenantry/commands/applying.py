"""A stand-in for kubectl and the API server, and `tenantry apply` on it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from constructs_lib.names import added_labels
from tenantry.cli import app
from tenantry.cluster.applying import server as api
from tenantry.cluster.applying.kinds import NAMESPACE, PLATFORM
from tenantry.cluster.applying.record import LAST_APPLIED
from tenantry.cluster.kubectl import Kubectl


def an_object(tenant: str, kind: str = "Namespace", *, version: str = "v1", name: str | None = None) -> dict[str, Any]:
    """An object of a tenant, with its labels."""
    metadata = {"name": name or tenant, "labels": added_labels(tenant)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata | ({"namespace": tenant} if name else {})}


TENANT = an_object("tenant-a")


ROLE = an_object("tenant-a", "Role", version="rbac.authorization.k8s.io/v1", name="reads")


SHARED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "monitoring", "labels": {"app.kubernetes.io/managed-by": "tenantry"}},
}


class Cluster:
    """Stands in for kubectl and the API server: remembers what it was asked, and says what would be pruned."""

    context = "kind-test"

    def __init__(self, prunable: str = "", *, different: bool = False, refused: str = "") -> None:
        self.prunable, self.different, self.refused = prunable, different, refused
        self.calls = list[tuple[str, ...]]()
        self.old_pods: list[dict[str, Any]] = []
        self.live = dict[str, dict[str, dict[str, Any]]]()

    def add(self, item: Mapping[str, Any], manager: str = "kubectl-client-side-apply", *, applied: bool = True) -> None:
        """Put an object on the cluster."""
        version = item["apiVersion"]
        kind = f"{version if '/' in version else f'core/{version}'}/{item['kind']}"
        key = f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        before = self.live.get(kind, {}).get(key, {})
        annotations = before.get("annotations", {}) | ({LAST_APPLIED: json.dumps(item)} if applied else {})
        metadata = item["metadata"] | {"annotations": annotations, "uid": "1", "managedFields": [{"manager": manager}]}
        self.live.setdefault(kind, {})[key] = metadata

    def metadata(self, kind: str, selector: str) -> list[dict[str, Any]]:
        """What the API server would list."""
        del selector
        return list(self.live.get(kind, {}).values())

    def annotate(self, namespace: str, name: str, value: str) -> None:
        """Remember an annotation."""
        self.live[NAMESPACE][f"/{namespace}"]["annotations"][name] = value

    def require_reachable(self) -> None:
        """It is."""

    def server(self) -> str:
        """Where it would be."""
        return "https://127.0.0.1:6443"

    def run(self, *arguments: str) -> str:
        """Remember, and answer as kubectl would."""
        self.calls.append(arguments)
        if "--dry-run=client" in arguments:
            return "" if PLATFORM in arguments else self.prunable
        return "namespace/monitoring unchanged\n"

    def try_run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Apply files as kubectl would, and return the objects."""
        self.calls.append(arguments)
        files = [after for before, after in pairwise(arguments) if before == "-f"]
        items = [each for file in files for each in yaml.safe_load_all(Path(file).read_text()) if each]
        accepted = [each for each in items if each["metadata"]["name"] != self.refused]
        for each in accepted:
            self.add(each)
        answers = [{**each, "metadata": self._find(each)} for each in accepted]
        failed = len(accepted) < len(items)
        text = json.dumps({"kind": "List", "items": answers})
        return subprocess.CompletedProcess(arguments, int(failed), text, "the server refused it" if failed else "")

    def _find(self, item: Mapping[str, Any]) -> dict[str, Any]:
        name, namespace = item["metadata"]["name"], item["metadata"].get("namespace", "")
        return next(objects[key] for objects in self.live.values() for key in objects if key == f"{namespace}/{name}")

    def get(self, *_arguments: str) -> Any:
        """The pods without the tenant's label."""
        return {"items": self.old_pods}

    def differs(self, _manifests: Path) -> bool:
        """Whether the cluster differs from the platform's file."""
        return self.different

    @property
    def applied(self) -> list[set[str]]:
        """The files of each call that applies tenants."""
        calls = [call for call in self.calls if "json" in call]
        return [{Path(each).name for each in call if each.endswith(".yaml")} for call in calls]

    @property
    def prunes(self) -> list[tuple[str, ...]]:
        """Calls that prune tenants' objects."""
        return [
            each for each in self.calls if "--prune" in each and "--dry-run=client" not in each and PLATFORM not in each
        ]

    @property
    def changes(self) -> list[tuple[str, ...]]:
        """Calls that change something."""
        return [call for call in self.calls if call[0] == "apply" and "--dry-run=client" not in call]


def dist_with(folder: Path, *objects: dict[str, Any], tenant: str = "tenant-a") -> Path:
    """Write the files of a tenant and of the platform into a folder."""
    (folder / f"{tenant}.k8s.yaml").write_text(yaml.safe_dump_all(objects), "utf-8")
    (folder / "0-platform.k8s.yaml").write_text(yaml.safe_dump_all([SHARED]), "utf-8")
    return folder


def run_apply(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, dist: Path, *flags: str, confirm: str = "kind-test"
) -> Result:
    """Apply a folder to the stand-in."""

    @contextmanager
    def connect(_: object) -> Iterator[Cluster]:
        yield cluster

    monkeypatch.setattr(Kubectl, "find", lambda *_: cluster)
    monkeypatch.setattr(api, "connect", connect)
    monkeypatch.setenv("CONFIRM", confirm)
    monkeypatch.setenv("SKIP_PREFLIGHT", "the stand-in has no API")
    cluster.calls.clear()
    return CliRunner().invoke(app, ["apply", "--dist", str(dist), *flags])
