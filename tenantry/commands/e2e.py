"""`tenantry e2e`: the promises, asked of the cluster that KUBECONFIG names. Needs a checkout with its tests."""

import subprocess
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.errors import CommandError
from tenantry.options import ContextOption, KubeconfigOption
from tenantry.programs import ROOT

TESTS: Final = ROOT / "tests" / "e2e"


class Scope(StrEnum):
    """How much is asked."""

    ALL = "all"
    SMOKE = "smoke"
    MUTATIONS = "mutations"


def e2e(
    scope: Annotated[
        Scope, typer.Argument(help="All, the short form, or whether broken manifests are noticed.")
    ] = Scope.ALL,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    *,
    image: Annotated[str, typer.Option("--image", help="The service's image.")] = "ml-inference-service:dev",
    only: Annotated[
        str, typer.Option("--only", help="Tests, as pytest's -k takes them; the report's rest stays.")
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform in the cluster.")] = False,
) -> None:
    """Apply the platform to a cluster, ask it every promise, write the report, and delete what was made.

    Shows the cluster first and asks, unless CONFIRM names its context; DISPOSABLE=1 allows what disturbs others, as a
    drained node does.

    Example: CONFIRM=kind-tenantry tenantry e2e smoke
    """
    kubectl = Kubectl.find(kubeconfig, context)
    if not TESTS.is_dir():
        raise CommandError(f"{TESTS} is not there: this verb needs a checkout of the project")
    confirm(kubectl, "apply the platform, disturb it in every way that the tests know, and delete it")
    environment = kubectl.environment()
    if scope is Scope.MUTATIONS:
        command = [sys.executable, "-m", "tests.e2e.mutations", "--image", image]
    else:
        marker = "e2e and smoke" if scope is Scope.SMOKE else "e2e"
        command = [sys.executable, "-m", "pytest", str(TESTS), "-m", marker, "-s", "-v", "--image", image]
        command += ["-k", only, "--merge"] if only else []
        command += ["--keep"] if keep else []
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
