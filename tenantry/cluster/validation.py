"""Applies the manifests of dist/ to a disposable cluster, walks the pods through admission, and deletes everything."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from constructs_lib import names
from tenantry.cluster.admission import Object, TenantWorkload, Walk, apply, node, on_the_node
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say, step
from tenantry.errors import CommandError, InputError

CRDS: Final = Path(names.__file__).parents[1] / "imports" / "crds"
"""Beside constructs_lib, in the repository and in an installed package."""
DELETE_SECONDS: Final = 120.0
_CRD_GROUPS: Final = ("monitoring.coreos.com/", "policy.networking.k8s.io/")

Files = dict[str, list[Object]]
"""The objects of each file of a folder, by the file's name."""


def ask(kubectl: Kubectl, files: Files) -> dict[str, str]:
    """Ask the API server whether it would accept the objects; nothing changes.

    Returns:
        For each file, what the server would do.

    Raises:
        CommandError: an object would be refused, or the cluster does not have the platform.
    """
    spaces = {each["metadata"]["name"] for each in _all(files) if each["kind"] == "Namespace"}
    missing = sorted(name for name in spaces if not _exists(kubectl, "namespace", name))
    if missing:
        raise CommandError(
            f"a dry run needs a cluster that has the platform, and {kubectl.context} lacks namespace "
            f"{', '.join(missing)}: apply dist/ first, or use a disposable cluster without the dry run"
        )
    outcome = {}
    for name, objects in files.items():
        with step(f"asking about {name}"):
            apply(kubectl, objects, dry_run=True)
        outcome[name] = f"{len(objects)} objects would be accepted"
    return outcome


def rehearse(kubectl: Kubectl, files: Files) -> dict[str, str]:
    """Apply the objects, walk every tenant's pods through admission, and delete everything again.

    Returns:
        For each file, what was accepted and refused.

    Raises:
        InputError: a tenant's namespace exists already.
        CommandError: an object or a pod was refused, or something was admitted that must be refused.
    """
    tenants = {name: TenantWorkload.of(objects) for name, objects in files.items() if _is_tenant(objects)}
    for tenant in tenants.values():
        if _exists(kubectl, "namespace", tenant.name):
            raise InputError(
                f"namespace {tenant.name} exists on {kubectl.context}, and validate deletes what it creates: "
                "use DRY_RUN=1 (--dry-run), or a disposable cluster"
            )
    outcome = {}
    crds = _missing_crds(kubectl, files)
    there = [each for each in _all(files) if _is_there(kubectl, each)]
    with _deleting(kubectl, [*crds, node(), *(each for each in _all(files) if each not in there)]):
        if crds:
            with step(f"applying {len(crds)} CRDs that are missing"):
                apply(kubectl, crds)
                names = [f"crd/{each['metadata']['name']}" for each in crds]
                kubectl.run("wait", "--for=condition=Established", "--timeout=60s", *names)
        apply(kubectl, [node()])
        for name, objects in files.items():
            with step(f"applying {name}"):
                apply(kubectl, [each for each in objects if each in there], dry_run=True)
                apply(kubectl, [on_the_node(each) for each in objects if each not in there])
            outcome[name] = f"{len(objects)} objects accepted"
        for name, tenant in tenants.items():
            walk = Walk(kubectl, tenant)
            with step(f"{tenant.name}: {tenant.minimum} pods, by the autoscaler"):
                walk.to_the_minimum()
            with step(f"{tenant.name}: {tenant.maximum} pods and {tenant.headroom} headroom pods"):
                walk.to_the_maximum()
            with step(f"{tenant.name}: a rolling update of all {tenant.maximum}"):
                walk.through_a_rolling_update()
            peak = walk.peak
            with step(f"{tenant.name}: what must be refused"):
                refused = walk.past_what_must_be_refused()
            outcome[name] += (
                f"; pods admitted at {tenant.minimum}, at {tenant.maximum} and through a rolling update, "
                f"{peak} of {tenant.quota} at most; refused: {', '.join(refused)}"
            )
    return outcome


def _all(files: Files) -> Iterator[Object]:
    for objects in files.values():
        yield from objects


def _is_tenant(objects: Sequence[Object]) -> bool:
    return any(each["kind"] == "Deployment" for each in objects)


def _exists(kubectl: Kubectl, kind: str, name: str, *, namespace: str = "default") -> bool:
    return bool(kubectl.run("get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "name"))


def _is_there(kubectl: Kubectl, item: Object) -> bool:
    """Whether the cluster has an object of the platform's file already; tenants are known to be absent."""
    metadata = item["metadata"]
    if item["kind"] not in {"Namespace", "ConfigMap"}:
        return False
    return _exists(kubectl, item["kind"], metadata["name"], namespace=metadata.get("namespace", "default"))


def _missing_crds(kubectl: Kubectl, files: Files) -> list[Object]:
    """The CRDs of the kinds in use that the cluster lacks."""
    from ruamel.yaml import YAML

    kinds = {each["kind"] for each in _all(files) if each["apiVersion"].startswith(_CRD_GROUPS)}
    texts = [path.read_text(encoding="utf-8") for path in sorted(CRDS.glob("*.yaml"))]
    # Reading one of them takes seconds: only those that name a kind in question.
    wanted = [text for text in texts if any(f"    kind: {kind}\n" in text for kind in kinds)]
    crds = [each for text in wanted for each in YAML(typ="safe", pure=True).load_all(text)]
    used: list[dict[str, Any]] = [each for each in crds if each["spec"]["names"]["kind"] in kinds]
    return [each for each in used if not _exists(kubectl, "crd", each["metadata"]["name"])]


@contextmanager
def _deleting(kubectl: Kubectl, objects: Sequence[Object]) -> Iterator[None]:
    """Delete the objects when the block ends, for any reason; a namespace is deleted with its contents."""
    try:
        yield
    finally:
        with step("deleting what was created"):
            spaces = [each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"]
            loose = [each for each in objects if each["kind"] != "Namespace" and _is_loose(each, spaces)]
            _delete_namespaces(kubectl, spaces)
            items = {"apiVersion": "v1", "kind": "List", "items": loose}
            kubectl.run("delete", "--ignore-not-found", "--filename", "-", stdin=json.dumps(items))


def _is_loose(item: Object, spaces: Sequence[str]) -> bool:
    return item["metadata"].get("namespace") not in spaces


def _delete_namespaces(kubectl: Kubectl, names: Sequence[str]) -> None:
    """Delete namespaces, and their pods, which no kubelet deletes; wait until all are deleted.

    Raises:
        CommandError: one is still there after DELETE_SECONDS.
    """
    if not names:
        return
    kubectl.run("delete", "namespace", *names, "--ignore-not-found", "--wait=false")
    deadline = time.monotonic() + DELETE_SECONDS
    while left := [name for name in names if _exists(kubectl, "namespace", name)]:
        if time.monotonic() > deadline:
            raise CommandError(f"namespace {', '.join(left)} is still there after {DELETE_SECONDS:.0f} s")
        for name in left:
            force = ("--all", "--force", "--grace-period=0", "--wait=false")
            kubectl.try_run("delete", "pods", *force, "--namespace", name)
        time.sleep(1)
    say(f"  deleted: {', '.join(names)}")
