"""The two Terraform root modules, with the variables that `tenantry up` and `tenantry down` give them."""

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from constructs_lib.platform import Platform
from tenantry.cluster import terraform
from tenantry.cluster.kubectl import Kubectl, confirmed
from tenantry.cluster.terraform import State, Terraform
from tenantry.errors import CommandError, InputError
from tenantry.options import KUBECONFIG

DIST: Final = Path("build/dist")
"""The manifests that terraform/platform applies: those of dist/, with the image of this cluster."""


def require_programs(*, docker: bool) -> None:
    """Raise InputError unless every program is there; it names all that are missing, and where to get them."""
    missing = []
    if terraform.program() is None:
        missing.append("Terraform 1.9 or OpenTofu 1.10 on PATH: https://developer.hashicorp.com/terraform/install")
    if shutil.which("kubectl") is None:
        missing.append("kubectl on PATH: https://kubernetes.io/docs/tasks/tools/")
    if docker and shutil.which("docker") is None:
        missing.append("Docker on PATH, for Kind's nodes: https://docs.docker.com/engine/install/")
    elif docker and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        missing.append("a running Docker engine: `docker info` fails; start it, or join the group `docker`")
    if missing:
        raise InputError("this command needs\n" + "\n".join(f"  - {item}" for item in missing))


def cluster_root(name: str, stop: threading.Event) -> Terraform:
    """terraform/cluster with its variables."""
    return Terraform(
        root=terraform.CLUSTER, variables={"name": name, "kubeconfig_path": str(KUBECONFIG.absolute())}, stop=stop
    )


def platform_root(kubectl: Kubectl, file: Path, stop: threading.Event, cluster: str | None = None) -> Terraform:
    """terraform/platform with its variables.

    Args:
        kubectl: The target cluster.
        file: platform.yaml.
        stop: Interrupts Terraform.
        cluster: The name of the target cluster, if the file lists clusters.

    Raises:
        InputError: KUBECONFIG names several files, and Terraform takes one.
    """
    kubeconfig = kubectl.kubeconfig or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    if not kubeconfig.is_file():
        raise InputError(f"{kubeconfig} is not one kubeconfig file; name one with --kubeconfig")
    variables = {
        "kubeconfig": str(kubeconfig.absolute()),
        "context": kubectl.context,
        "platform_file": str(file.absolute()),
        "dist_directory": str((DIST / (cluster or "")).absolute()),
    } | ({"cluster": cluster} if cluster else {})
    return Terraform(root=terraform.PLATFORM, variables=variables, stop=stop)


def require_state_of(context: str, state: State) -> None:
    """Raise InputError if the state of terraform/platform describes another cluster than the one of `context`."""
    known = state.outputs.get("context")
    if known and known != context and state.resources:
        raise InputError(
            f"the state of {terraform.PLATFORM} is the one of context {known}, not of {context}: remove that platform "
            f"first (tenantry down --context {known}), or keep a second state: TF_WORKSPACE={context} tenantry up ..."
        )


def removed_tenants(state: State, platform: Platform) -> list[str]:
    """Tenants that the state of terraform/platform holds and platform.yaml no longer lists."""
    known = state.outputs.get("tenants", ()) if state.resources else ()
    return sorted(set(known) - {tenant.name for tenant in platform.tenants})


def require_confirmed(tenants: Sequence[str], context: str) -> None:
    """Raise InputError unless the variable CONFIRM names each tenant that would be deleted."""
    unnamed = [tenant for tenant in tenants if not confirmed(tenant)]
    if unnamed:
        raise InputError(
            f"{', '.join(unnamed)} would be deleted with the whole namespace, because platform.yaml no longer lists "
            f'it. To delete it: CONFIRM="{" ".join([context, *tenants])}"'
        )


def kind_containers(name: str) -> list[str]:
    """The containers that Docker has of a Kind cluster, running or not.

    Raises:
        CommandError: Docker does not answer.
    """
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"label=io.x-k8s.kind.cluster={name}"]
    done = subprocess.run(listing, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"docker ps failed, so the nodes of cluster {name} are unknown: {done.stderr.strip()}")
    return done.stdout.split()
