"""`tenantry validate`: does a real API server take dist/, and let its pods in?"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say, step
from tenantry.errors import CommandError, InputError
from tenantry.options import (
    DIST,
    ContextOption,
    DistOption,
    DryRunOption,
    Format,
    FormatOption,
    KubeconfigOption,
)
from tenantry.programs import ROOT

if TYPE_CHECKING:
    from tenantry.cluster.admission import Object

CRDS: Final = ROOT / "imports" / "crds"
DELETE_SECONDS: Final = 120.0
_MONITORING_GROUP: Final = "monitoring.coreos.com/"


def validate(
    dist: DistOption = DIST,
    *,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TEXT,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Apply dist/ to a disposable cluster, prove that its pods are let in, and delete it again.

    Server-side and with strict fields. No pod runs: each is called ready by hand, at the autoscaler's minimum and
    maximum and through a whole rolling update at the maximum, with every pod that it replaces still stopping and the
    quota's guests there. What the walls forbid is asked for, too. CRDs are applied where they are missing. A tenant
    that the cluster has already is never touched: --dry-run is for such a cluster.

    Example: CONFIRM=kind-tenantry tenantry validate
    """
    files = _read(dist)
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    if dry_run:
        outcome = _ask(kubectl, files)
    else:
        confirm(kubectl, f"apply {dist}/ to it, and delete it again")
        outcome = _try(kubectl, files)
    if output is Format.JSON:
        result(json.dumps(outcome, indent=2))
        return
    for name, what in outcome.items():
        result(f"{name:18} {what}")


def _read(folder: Path) -> "dict[str, list[Object]]":
    """The objects of each file of the folder.

    Raises:
        InputError: there are none.
    """
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    files = {path.name: list(yaml.load_all(path)) for path in sorted(folder.glob("*.k8s.yaml"))}
    if not any(files.values()):
        raise InputError(f"--dist {folder}: holds no object; write it with: tenantry synth --output {folder}")
    return files


def _ask(kubectl: Kubectl, files: "dict[str, list[Object]]") -> dict[str, str]:
    """Let the server say what it would do; it changes nothing."""
    from tenantry.cluster.admission import apply

    spaces = {each["metadata"]["name"] for each in _all(files) if each["kind"] == "Namespace"}
    missing = sorted(name for name in spaces if not _exists(kubectl, "namespace", name))
    if missing:
        raise CommandError(
            f"a dry run needs a cluster that has the platform, and {kubectl.context} lacks namespace "
            f"{', '.join(missing)}: apply dist/ first, or leave the dry run out on a disposable cluster"
        )
    outcome = {}
    for name, objects in files.items():
        with step(f"asking about {name}"):
            apply(kubectl, objects, dry_run=True)
        outcome[name] = f"{len(objects)} objects would be taken"
    return outcome


def _try(kubectl: Kubectl, files: "dict[str, list[Object]]") -> dict[str, str]:
    from tenantry.cluster.admission import Tenant, Walk, apply, node, on_the_node

    tenants = {name: Tenant.of(objects) for name, objects in files.items() if _is_tenant(objects)}
    for tenant in tenants.values():
        if _exists(kubectl, "namespace", tenant.name):
            raise InputError(
                f"namespace {tenant.name} is on {kubectl.context} already, and validate deletes what it makes: "
                "ask with DRY_RUN=1 (--dry-run), or use a disposable cluster"
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
            outcome[name] = f"{len(objects)} objects taken"
        for name, tenant in tenants.items():
            walk = Walk(kubectl, tenant)
            with step(f"{tenant.name}: {tenant.minimum} pods, by the autoscaler"):
                walk.to_the_minimum()
            with step(f"{tenant.name}: {tenant.maximum} pods and {tenant.guests} guests"):
                walk.to_the_maximum()
            with step(f"{tenant.name}: a rolling update of all {tenant.maximum}"):
                walk.through_a_rolling_update()
            peak = walk.peak
            with step(f"{tenant.name}: what must be refused"):
                refused = walk.past_what_must_be_refused()
            outcome[name] += (
                f"; pods let in at {tenant.minimum}, at {tenant.maximum} and through a rolling update, "
                f"{peak} of {tenant.quota} at most; refused: {', '.join(refused)}"
            )
    return outcome


def _all(files: "dict[str, list[Object]]") -> "Iterator[Object]":
    for objects in files.values():
        yield from objects


def _is_tenant(objects: "Sequence[Object]") -> bool:
    return any(each["kind"] == "Deployment" for each in objects)


def _exists(kubectl: Kubectl, kind: str, name: str, *, namespace: str = "default") -> bool:
    return bool(kubectl.run("get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "name"))


def _is_there(kubectl: Kubectl, item: "Object") -> bool:
    """Whether the cluster has an object of the platform's file already; tenants are known to be absent."""
    metadata = item["metadata"]
    if item["kind"] not in {"Namespace", "ConfigMap"}:
        return False
    return _exists(kubectl, item["kind"], metadata["name"], namespace=metadata.get("namespace", "default"))


def _missing_crds(kubectl: Kubectl, files: "dict[str, list[Object]]") -> "list[Object]":
    """The CRDs of the kinds in use that the cluster lacks."""
    from ruamel.yaml import YAML

    kinds = {each["kind"] for each in _all(files) if each["apiVersion"].startswith(_MONITORING_GROUP)}
    texts = [path.read_text(encoding="utf-8") for path in sorted(CRDS.glob("*.yaml"))]
    # Reading one of them takes seconds: only those that name a kind in question.
    wanted = [text for text in texts if any(f"    kind: {kind}\n" in text for kind in kinds)]
    crds = [each for text in wanted for each in YAML(typ="safe", pure=True).load_all(text)]
    used: list[dict[str, Any]] = [each for each in crds if each["spec"]["names"]["kind"] in kinds]
    return [each for each in used if not _exists(kubectl, "crd", each["metadata"]["name"])]


@contextmanager
def _deleting(kubectl: Kubectl, objects: "Sequence[Object]") -> Iterator[None]:
    """Delete the objects when the block ends, however it ends; what stands in a namespace goes with it."""
    try:
        yield
    finally:
        with step("deleting what was made"):
            spaces = [each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"]
            loose = [each for each in objects if each["kind"] != "Namespace" and _is_loose(each, spaces)]
            _delete_namespaces(kubectl, spaces)
            items = {"apiVersion": "v1", "kind": "List", "items": loose}
            kubectl.run("delete", "--ignore-not-found", "--filename", "-", stdin=json.dumps(items))


def _is_loose(item: "Object", spaces: Sequence[str]) -> bool:
    return item["metadata"].get("namespace") not in spaces


def _delete_namespaces(kubectl: Kubectl, names: Sequence[str]) -> None:
    """Delete namespaces and, since no kubelet will, the pods in them; wait until all is gone.

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
    say(f"  gone: {', '.join(names)}")
