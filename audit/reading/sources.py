"""Files, folders, globs, standard input and clusters to text."""

import glob
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audit.errors import AuditError, SourceError

SUFFIXES: Final = {".yaml", ".yml", ".json"}
"""What a folder is searched for."""
CLUSTER_KINDS: Final = (
    "namespaces,nodes,pods,deployments,statefulsets,daemonsets,replicasets,replicationcontrollers,jobs,cronjobs,"
    "services,endpointslices,ingresses,networkpolicies"
)
"""What is read of a cluster, and exists in every cluster."""
DETAIL_KINDS: Final = (
    ",roles,rolebindings,clusterroles,clusterrolebindings,serviceaccounts,resourcequotas,limitranges,"
    "horizontalpodautoscalers,poddisruptionbudgets,persistentvolumeclaims,persistentvolumes,storageclasses"
)
"""What is read besides, where more than the network is asked for. Secrets are never read."""
CLUSTER_GROUPS: Final = (
    "policy.networking.k8s.io",
    "gateway.networking.k8s.io",
    "cilium.io",
    "crd.projectcalico.org",
    "projectcalico.org",
    "crd.antrea.io",
    "k8s.ovn.org",
    "security.istio.io",
    "policy.linkerd.io",
    "networking.k8s.aws",
    "networking.istio.io",
    "traefik.io",
    "projectcontour.io",
    "route.openshift.io",
)
"""API groups of policies and routes, read where the cluster has them."""
DETAIL_GROUPS: Final = (
    "monitoring.coreos.com",
    "admissionregistration.k8s.io",
    "apiregistration.k8s.io",
    "external-secrets.io",
    "argoproj.io",
    "kustomize.toolkit.fluxcd.io",
    "helm.toolkit.fluxcd.io",
)
"""The same, where more than the network is asked for."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the input.

    Attributes:
        file: Its name in messages.
        content: The text.
        digest: SHA-256 of the bytes that the text was decoded from, in hexadecimal; empty where it is not a file.
    """

    file: str
    content: str
    digest: str = ""


def texts(paths: Sequence[str | Path]) -> Iterator[Text]:
    """The texts of files, folders (searched in depth), globs and standard input (`-`).

    Raises:
        AuditError: A path leads to nothing, or a file is not UTF-8.
    """
    for path in paths:
        if str(path) == "-":
            yield Text("<stdin>", sys.stdin.read())
        else:
            yield from map(_text, _files(str(path)))


def _files(path: str) -> list[Path]:
    if Path(path).is_dir():
        found = sorted(each for each in Path(path).rglob("*") if each.suffix in SUFFIXES and each.is_file())
        if not found:
            raise AuditError(f"{path}: the folder has no .yaml, .yml or .json file")
        return found
    if Path(path).exists():
        return [Path(path)]
    matched = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not matched:
        raise AuditError(f"{path}: no such file or folder, and no file matches it as a pattern")
    return [file for each in matched for file in (_files(each) if Path(each).is_dir() else [Path(each)])]


def _text(path: Path) -> Text:
    try:
        content = path.read_bytes()
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise AuditError(f"{path}: it is not UTF-8 text (byte {error.start}); manifests are UTF-8") from error
    except OSError as error:
        raise AuditError(f"{path}: cannot be read: {error.strerror}") from error
    return Text(str(path), text, hashlib.sha256(content).hexdigest())


def cluster(context: str, kubeconfig: Path | None = None, *, details: bool = False) -> Iterator[Any]:
    """Lists of what a cluster holds, read through kubectl; nothing is changed.

    Args:
        context: Name of the kubeconfig's context.
        kubeconfig: The file, or None for what kubectl finds by itself.
        details: Whether to read more than the network needs.

    Raises:
        AuditError: kubectl is not there, or fails.
    """
    kinds = CLUSTER_KINDS + (DETAIL_KINDS if details else "")
    groups = {*CLUSTER_GROUPS, *(DETAIL_GROUPS if details else ())}
    base = ["kubectl", *(["--kubeconfig", str(kubeconfig)] if kubeconfig else []), "--context", context]
    yield _objects([*base, "get", kinds, "--all-namespaces", "-o", "json"])
    served = _kubectl([*base, "api-resources", "--verbs=list", "-o", "name"]).split()
    extra = [name for name in served if name.partition(".")[2] in groups]
    if extra:
        yield _objects([*base, "get", ",".join(extra), "--all-namespaces", "-o", "json"])


def _objects(command: list[str]) -> Any:
    text = _kubectl(command)
    try:
        return json.loads(text)
    except ValueError as error:
        raise SourceError(f"{' '.join(command)} did not print JSON: {text[:80]!r}") from error


def _kubectl(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SourceError("--context needs kubectl on PATH: https://kubernetes.io/docs/tasks/tools/") from error
    if done.returncode != 0:
        raise SourceError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
