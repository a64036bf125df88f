"""`tenantry e2e`: the end-to-end suite, on the cluster that KUBECONFIG names. Needs a clone of the project."""

import shlex
import subprocess
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result
from tenantry.errors import CommandError
from tenantry.options import ContextOption, DryRunOption, KubeconfigOption
from tenantry.programs import ROOT

TESTS: Final = ROOT / "tests" / "e2e"
_WRONG_INPUT: Final = (4, 5)
"""Exit codes of pytest: wrong arguments, and no test selected."""


class Selection(StrEnum):
    """How much of the suite runs."""

    ALL = "all"
    SMOKE = "smoke"
    MUTATIONS = "mutations"


def e2e(
    selection: Annotated[
        Selection, typer.Argument(help="The whole suite, its short form, or broken manifests that it must notice.")
    ] = Selection.ALL,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    *,
    image: Annotated[str, typer.Option("--image", help="The service's image.")] = "ml-inference-service:dev",
    onnx_image: Annotated[
        str, typer.Option("--onnx-image", help="The image for ONNX models. Default: they are not tested.")
    ] = "",
    only: Annotated[
        str, typer.Option("--only", help="Only these tests, as for pytest's -k; the rest of the report is kept.")
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform in the cluster.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Apply the platform to a cluster, test every promise, write the report, and delete what was created.

    The command shows the cluster and asks first, unless the variable CONFIRM names its context. DISPOSABLE=1 allows
    tests that disturb other workloads, such as draining a node.

    Example: CONFIRM=kind-tenantry tenantry e2e smoke
    """
    if not TESTS.is_dir():
        raise CommandError(f"{TESTS} is missing: this command needs a clone of the project")
    kubectl = Kubectl.find(kubeconfig, context)
    if selection is Selection.MUTATIONS:
        command = [sys.executable, "-m", "tests.e2e.mutations", "--image", image]
    else:
        marker = "e2e and smoke" if selection is Selection.SMOKE else "e2e"
        command = [sys.executable, "-m", "pytest", str(TESTS), "-m", marker, "-s", "-v", "--image", image]
        command += ["--onnx-image", onnx_image] if onnx_image else []
        command += ["-k", only, "--merge"] if only else []
        command += ["--keep"] if keep else []
    if dry_run:
        result(f"would run in context {kubectl.context}: {shlex.join(command)}")
        return
    confirm(kubectl, "apply the platform, run tests that disturb it, and delete it")
    done = subprocess.run(command, cwd=ROOT, env=kubectl.environment(), check=False)
    if done.returncode:
        raise typer.Exit(2 if done.returncode in _WRONG_INPUT else 1)
