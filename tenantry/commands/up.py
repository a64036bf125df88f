"""`tenantry up`: a cluster, the platform on it, a model for every tenant; `tenantry down` takes it away again."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tenantry.cluster import terraform
from tenantry.cluster.kubectl import Kubectl, confirm, confirmed
from tenantry.cluster.terraform import Terraform
from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import (
    CLUSTER_NAME,
    KUBECONFIG,
    MODEL,
    PLATFORM_FILE,
    ClusterNameOption,
    ContextOption,
    FileOption,
    KubeconfigOption,
)

if TYPE_CHECKING:
    from constructs_lib.platform import Platform

DIST: Final = Path("build/dist")
_TENANTRY: Final = (sys.executable, "-m", "tenantry")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The cluster that the platform goes to.

    Attributes:
        kubectl: How to talk to it.
        nodes: Its nodes' containers, where it is a Kind cluster of ours.
        grafana_url: Grafana's address on this machine, there.
    """

    kubectl: Kubectl
    nodes: tuple[str, ...] = ()
    grafana_url: str | None = None


def up(
    *,
    name: ClusterNameOption = CLUSTER_NAME,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    image: Annotated[
        str | None,
        typer.Option("--image", help="Image for every tenant; left out: built here for Kind, else the file's."),
    ] = None,
    model: Annotated[Path, typer.Option("--model", "-m", help="Model for tenants that have none yet.")] = MODEL,
    file: FileOption = PLATFORM_FILE,
) -> None:
    """Make a Kind cluster with the whole platform on it, publish a model for every tenant and wait until all answer.

    Steps: terraform/cluster, the service's image, dist/ with it, terraform/platform, a model for each tenant that has
    none, the tenants' pods. Each may be repeated; what is there already is left alone. With --context the platform goes
    to that cluster instead, and no image is built.

    Example: tenantry up
    """
    from constructs_lib.platform import Platform
    from tenantry.cluster.rollout import wait_until_ready
    from tenantry.commands.synth import synth
    from tenantry.processes import run, stop_requested

    platform = Platform.load(file)
    require_programs(docker=context is None)
    with stop_requested() as stop:
        if context is None:
            target = _kind_cluster(name, stop)
            image = image or _image_on(target, stop)
        else:
            target = Target(kubectl=Kubectl.find(kubeconfig, context))
            confirm(target.kubectl, "install the platform")
        synth(file=file, output=DIST, image=image)
        root = platform_root(target.kubectl, file, stop)
        require_state_of(root, target.kubectl.context)
        require_named(removed_tenants(root, platform), target.kubectl.context)
        root.apply()
        outputs = root.outputs()
        if not (model / "manifest.json").is_file() and model == MODEL:
            run([*_TENANTRY, "train", "--output", str(model)], stop=stop, doing="training the model")
        if outputs["store_namespace"]:
            from tenantry.cluster.first_models import publish_where_missing

            publish_where_missing(target.kubectl, platform, outputs, model)
        say("waiting for the tenants' pods")
        wait_until_ready(target.kubectl, [tenant.name for tenant in platform.tenants], stop=stop)
    _describe(target, platform, outputs)


def require_programs(*, docker: bool) -> None:
    """Raise InputError unless all that is needed is there; names everything that is not, and where to get it."""
    missing = []
    if terraform.program() is None:
        missing.append("Terraform 1.9 or OpenTofu 1.10 on PATH: https://developer.hashicorp.com/terraform/install")
    if shutil.which("kubectl") is None:
        missing.append("kubectl on PATH: https://kubernetes.io/docs/tasks/tools/")
    if docker and shutil.which("docker") is None:
        missing.append("Docker on PATH, for Kind's nodes: https://docs.docker.com/engine/install/")
    elif docker and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        missing.append("a running Docker engine: `docker info` does not answer; start it, or join the group `docker`")
    if missing:
        raise InputError("this needs\n" + "\n".join(f"  - {item}" for item in missing))


def cluster_root(name: str, stop: threading.Event) -> Terraform:
    """terraform/cluster with its variables."""
    return Terraform(
        root=terraform.CLUSTER, variables={"name": name, "kubeconfig_path": str(KUBECONFIG.absolute())}, stop=stop
    )


def platform_root(kubectl: Kubectl, file: Path, stop: threading.Event) -> Terraform:
    """terraform/platform with its variables.

    Raises:
        InputError: KUBECONFIG names several files, of which Terraform takes one.
    """
    kubeconfig = kubectl.kubeconfig or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    if not kubeconfig.is_file():
        raise InputError(f"{kubeconfig} is not one kubeconfig file; name one with --kubeconfig")
    variables = {
        "kubeconfig": str(kubeconfig.absolute()),
        "context": kubectl.context,
        "platform_file": str(file.absolute()),
        "dist_directory": str(DIST.absolute()),
    }
    return Terraform(root=terraform.PLATFORM, variables=variables, stop=stop)


def require_state_of(root: Terraform, context: str) -> None:
    """Raise InputError if the root's state describes another cluster than the one of `context`."""
    known = root.outputs().get("context")
    if known and known != context and root.resources():
        raise InputError(
            f"the state of {root.root} is that of context {known}, not of {context}: take that one down first "
            f"(tenantry down --context {known}), or keep a second state: TF_WORKSPACE={context} tenantry up ..."
        )


def removed_tenants(root: Terraform, platform: "Platform") -> list[str]:
    """Tenants that the root's state knows and platform.yaml no longer lists."""
    known = root.outputs().get("tenants", []) if root.resources() else []
    return sorted(set(known) - {tenant.name for tenant in platform.tenants})


def require_named(tenants: Sequence[str], context: str) -> None:
    """Raise InputError unless the variable CONFIRM names each tenant that would go, with all that it has."""
    unnamed = [tenant for tenant in tenants if not confirmed(tenant)]
    if unnamed:
        raise InputError(
            f"{', '.join(unnamed)} would be deleted, namespace and all, since platform.yaml no longer lists it; "
            f'if that is meant: CONFIRM="{" ".join([context, *tenants])}"'
        )


def kind_containers(name: str) -> list[str]:
    """The containers that Docker has of a Kind cluster, running or not."""
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"label=io.x-k8s.kind.cluster={name}"]
    return subprocess.run(listing, capture_output=True, text=True, check=False).stdout.split()


def _kind_cluster(name: str, stop: threading.Event) -> Target:
    root = cluster_root(name, stop)
    known, there = root.resources(), kind_containers(name)
    if known and not there:
        say(f"the cluster {name} was deleted by other means: making it anew")
        root.forget()
    if there and not known:
        raise InputError(
            f"Docker has a Kind cluster {name} that this folder did not make: take another name with --name, or "
            f"delete it with: kind delete cluster --name {name}"
        )
    root.apply()
    outputs = root.outputs()
    kubectl = Kubectl.find(Path(outputs["kubeconfig"]), outputs["context"])
    return Target(kubectl=kubectl, nodes=tuple(outputs["nodes"]), grafana_url=outputs["grafana_url"])


def _image_on(target: Target, stop: threading.Event) -> str:
    from tenantry.cluster import local_image

    name = local_image.build()
    local_image.load(name, target.nodes, stop=stop)
    return name


def _describe(target: Target, platform: "Platform", outputs: dict[str, Any]) -> None:
    from constructs_lib.names import service_name
    from inference import contract

    kubectl, first = target.kubectl, platform.tenants[0].name
    lines: list[tuple[str, str | None]] = [
        ("Grafana", (target.grafana_url or outputs["grafana_url"]) if outputs["grafana_url"] else None),
        ("  user", outputs["grafana_user"]),
        ("  password", outputs["grafana_password_command"]),
        ("MinIO", outputs["store_console_command"]),
        ("  keys", outputs["store_keys_command"]),
        (first, f"kubectl --namespace {first} port-forward service/{service_name(first)} {contract.PORT}"),
        ("next", "make smoke, make load, make down"),
    ]
    result("\nThe platform is up.", bold=True)
    result(f"  export KUBECONFIG={kubectl.kubeconfig}" if kubectl.kubeconfig else f"  context {kubectl.context}")
    _print_aligned([(name, text) for name, text in lines if text])


def _print_aligned(lines: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        result(f"  {name:{width}}  {text}")
