"""An API server for `tenantry apply`, and dist/ with three tenants."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.control_plane import ControlPlane, control_plane
from tests.paths import ROOT

TENANTS = ("tenant-a", "tenant-b", "tenant-c")


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The API server. No controller finishes the deletion of namespaces there, so this fixture does."""
    with control_plane(tmp_path_factory.mktemp("plane")) as running:
        stop = threading.Event()
        thread = threading.Thread(target=_delete_namespaces, args=(running, stop))
        thread.start()
        yield running
        stop.set()
        thread.join()


def _delete_namespaces(plane: ControlPlane, stop: threading.Event) -> None:
    while not stop.wait(1):
        for each in plane.get("namespaces")["items"]:
            if "deletionTimestamp" in each["metadata"]:
                each["spec"]["finalizers"] = []
                path = f"/api/v1/namespaces/{each['metadata']['name']}/finalize"
                plane.kubectl("replace", "--raw", path, "--filename", "-", stdin=json.dumps(each))


class Applying:
    """Runs `tenantry apply` on a folder of its own.

    Attributes:
        dist: the folder.
        plane: the API server.
    """

    def __init__(self, dist: Path, plane: ControlPlane) -> None:
        self.dist = dist
        self.plane = plane

    def __call__(self, *options: str, confirm: str = "") -> Result:
        """Apply; `confirm` names tenants that may be deleted."""
        environment = {"KUBECONFIG": str(self.plane.kubeconfig), "CONFIRM": f"scratch {confirm}"}
        environment["SKIP_PREFLIGHT"] = "the API server has no nodes"
        return CliRunner().invoke(app, ["apply", "--dist", str(self.dist), *options], env=environment)

    def file(self, tenant: str) -> Path:
        """The file of a tenant."""
        return self.dist / f"{tenant}.k8s.yaml"

    def edit(self, tenant: str, old: str, new: str) -> None:
        """Change the file of a tenant."""
        text = self.file(tenant).read_text("utf-8")
        assert old in text
        self.file(tenant).write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def applying(plane: ControlPlane, tmp_path: Path) -> Applying:
    """A folder that describes three tenants, applied."""
    for path in (ROOT / "dist").iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    shipped = (ROOT / "dist" / "tenant-a.k8s.yaml").read_text("utf-8")
    for tenant in TENANTS:
        (tmp_path / f"{tenant}.k8s.yaml").write_text(shipped.replace("tenant-a", tenant), "utf-8")
    found = Applying(tmp_path, plane)
    done = found()
    assert done.exit_code == 0, done.output
    return found
