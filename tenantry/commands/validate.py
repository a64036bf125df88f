"""`tenantry validate`: tests that a real API server accepts dist/ and admits its pods."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result
from tenantry.errors import InputError
from tenantry.options import (
    DIST,
    ContextOption,
    DistOption,
    DryRunOption,
    Format,
    FormatOption,
    KubeconfigOption,
)

if TYPE_CHECKING:
    from tenantry.cluster.validation import Files


def validate(
    dist: DistOption = DIST,
    *,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TEXT,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Apply dist/ to a disposable cluster, test that its pods are admitted, and delete it again.

    Objects are applied server-side and with strict validation. No pod runs: the test marks pods ready itself, at the
    autoscaler's minimum and maximum and during a rolling update at the maximum, while the replaced pods are terminating
    and the quota's headroom pods exist. The test also creates objects that must be refused. Missing CRDs are applied. A
    tenant that exists on the cluster is never changed; use --dry-run for such a cluster.

    Example: CONFIRM=kind-tenantry tenantry validate
    """
    from tenantry.cluster.validation import ask, rehearse

    files = _read(dist)
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    if dry_run:
        outcome = ask(kubectl, files)
    else:
        confirm(kubectl, f"apply {dist}/ to it, and delete it again")
        outcome = rehearse(kubectl, files)
    if output is Format.JSON:
        result(json.dumps(outcome, indent=2))
        return
    for name, what in outcome.items():
        result(f"{name:18} {what}")


def _read(folder: Path) -> "Files":
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
