"""A Kubernetes API server of its own: etcd and kube-apiserver on free ports of loopback, without nodes."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tenantry import processes
from tests.paths import ROOT

PROGRAMS: Final = ("etcd", "kube-apiserver", "kubectl", "openssl")
START_SECONDS: Final = 120.0
CRDS: Final = ROOT / "imports" / "crds"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A running API server.

    Attributes:
        kubeconfig: a file whose only context is `scratch`.
        server: process ID of the API server.
        log: file with the output of the API server.
    """

    kubeconfig: Path
    server: int
    log: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl to its end and return its output; raise CalledProcessError if it fails."""
        command = ["kubectl", "--kubeconfig", os.fspath(self.kubeconfig), *arguments]
        return subprocess.run(command, input=stdin, check=True, text=True, stdout=subprocess.PIPE).stdout

    def get(self, *arguments: str) -> Any:
        """Objects as plain values."""
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))

    def requests(self) -> int:
        """How many requests the API server has answered, watches excluded."""
        lines = self.kubectl("get", "--raw", "/metrics").splitlines()
        counted = (each for each in lines if each.startswith("apiserver_request_total{") and 'verb="WATCH"' not in each)
        return sum(int(float(each.rsplit(" ", 1)[1])) for each in counted)


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Run etcd and an API server with the CRDs that `dist/` needs, until the block ends.

    Args:
        folder: An empty folder for their data, keys and logs.

    Raises:
        RuntimeError: A program is missing, or the API server did not become ready.
    """
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise RuntimeError(f"{', '.join(missing)} must be on PATH to run an API server")
    client, peer, port = _free_ports(3)
    token = secrets.token_hex(16)
    (folder / "tokens").touch(mode=0o600)
    (folder / "tokens").write_text(f"{token},admin,admin,system:masters\n")
    subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(_kubeconfig(port, token))
    etcd = (
        *("etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync"),
        *(f"--listen-client-urls=http://127.0.0.1:{client}", f"--advertise-client-urls=http://127.0.0.1:{client}"),
        *(f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        *(f"--initial-cluster=default=http://127.0.0.1:{peer}", "--quota-backend-bytes=8589934592"),
    )
    server = (
        *("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{client}", "--bind-address=127.0.0.1"),
        *(f"--secure-port={port}", f"--cert-dir={folder}", f"--token-auth-file={folder / 'tokens'}"),
        *("--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/16", "--advertise-address=127.0.0.1"),
        *("--endpoint-reconciler-type=none", f"--service-account-key-file={folder / 'sa.key'}"),
        *(f"--service-account-signing-key-file={folder / 'sa.key'}", "--service-account-issuer=https://scratch"),
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in (etcd, server):
            with (folder / f"{command[0]}.log").open("wb") as log:
                started.append(processes.start([os.fspath(each) for each in command], stdout=log, stderr=log))
        plane = ControlPlane(kubeconfig=kubeconfig, server=started[1].pid, log=folder / "kube-apiserver.log")
        _wait(plane, started)
        plane.kubectl("apply", "--server-side", "--filename", "-", stdin=_crds())
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        yield plane
    finally:
        processes.end(started)


def _wait(plane: ControlPlane, started: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    command = ["kubectl", "--kubeconfig", os.fspath(plane.kubeconfig), "get", "--raw", "/readyz"]
    while subprocess.run(command, check=False, capture_output=True).returncode:
        if time.monotonic() > deadline or any(each.poll() is not None for each in started):
            raise RuntimeError(
                f"the API server did not become ready; its log is {plane.log}:\n{plane.log.read_text()[-2000:]}"
            )
        time.sleep(0.3)


def _crds() -> str:
    """The CRDs, with the annotation that the API server requires of those in Kubernetes' own groups."""
    found = [each for path in sorted(CRDS.glob("*.yaml")) for each in yaml.load_all(path.read_text(), yaml.CSafeLoader)]
    for each in found:
        each["metadata"].setdefault("annotations", {})["api-approved.kubernetes.io"] = "unapproved, for tests only"
    return yaml.dump_all(found, Dumper=yaml.CSafeDumper)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _kubeconfig(port: int, token: str) -> str:
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "scratch",
            "clusters": [{"name": "scratch", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "scratch", "context": {"cluster": "scratch", "user": "admin"}}],
        }
    )
