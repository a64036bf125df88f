"""`tenantry up`: a cluster, the platform on it, and a model for every tenant; `tenantry down` removes them."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import (
    CLUSTER_NAME,
    MODEL,
    PLATFORM_FILE,
    ClusterNameOption,
    ClusterOption,
    ContextOption,
    DryRunOption,
    FileOption,
    KubeconfigOption,
    SkipPreflightOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.platform import Platform

_TENANTRY: Final = (sys.executable, "-m", "tenantry")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The cluster that the platform is installed on.

    Attributes:
        kubectl: How to reach it.
        nodes: Its nodes' containers, if it is a Kind cluster that this command created.
        grafana_url: Grafana's address on this machine, for such a cluster.
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
        typer.Option("--image", help="Image for every tenant. Default: built here for Kind, else the file's."),
    ] = None,
    model: Annotated[Path, typer.Option("--model", "-m", help="Model for tenants that have none yet.")] = MODEL,
    file: FileOption = PLATFORM_FILE,
    dry_run: DryRunOption = False,
    skip_preflight: SkipPreflightOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Create a Kind cluster with the whole platform, publish a model for every tenant, and wait until all are ready.

    The steps: terraform/cluster, the service's image, dist/ with that image, terraform/platform, a model for each
    tenant that has none, the tenants' pods. The command can be repeated; it changes only what differs. With --context,
    the platform is installed on that cluster instead, and no image is built; first, the checks of `tenantry preflight`
    run, without those of the components that terraform/platform is about to install, and nothing is installed if one is
    blocking.

    Example: tenantry up
    """
    from constructs_lib.platform import Platform
    from tenantry.cluster import roots
    from tenantry.cluster.components import installed_components
    from tenantry.cluster.pod_labels import label_running_pods
    from tenantry.cluster.rollout import wait_until_ready
    from tenantry.clusters import part_of
    from tenantry.manifests import write_manifests
    from tenantry.preflight.inspection import require_ready
    from tenantry.processes import run, stop_requested

    platform = part_of(Platform.load(file), cluster)
    if platform.clusters and cluster is None:
        raise InputError(f"{file} lists several clusters: name one of {', '.join(platform.clusters)} with --cluster")
    _check_model(model)
    roots.require_programs(docker=context is None)
    write_manifests(file, roots.DIST, image=image)  # with the file's image: refuses wrong input before any change
    if context is not None:
        kubectl = Kubectl.find(kubeconfig, context)
        kubectl.require_reachable()
        require_ready(kubectl, file, cluster=cluster or "", skip=skip_preflight, installs=installed_components())
    with stop_requested() as stop:
        if dry_run:
            _plan(platform, file, stop, name=name, context=context, kubeconfig=kubeconfig, cluster=cluster)
            return
        if context is None:
            target = _kind_cluster(name, stop)
            image = image or _image_on(target, stop)
            write_manifests(file, roots.DIST, image=image)
        else:
            target = Target(kubectl=Kubectl.find(kubeconfig, context))
            confirm(target.kubectl, "install the platform")
        root = roots.platform_root(target.kubectl, file, stop, cluster)
        state = root.state()
        roots.require_state_of(target.kubectl.context, state)
        roots.require_confirmed(roots.removed_tenants(state, platform), target.kubectl.context)
        label_running_pods(target.kubectl)
        root.apply()
        outputs = root.state().outputs
        if not (model / "manifest.json").is_file():
            run([*_TENANTRY, "train", "--output", str(model)], stop=stop, doing="training the model")
        if outputs["store_namespace"]:
            from tenantry.cluster.first_models import publish_where_missing

            publish_where_missing(target.kubectl, platform, outputs, model)
        say("waiting for the tenants' pods")
        wait_until_ready(target.kubectl, [tenant.name for tenant in platform.tenants], stop=stop)
    _describe(target, platform, outputs)


def _check_model(model: Path) -> None:
    """Refuse a model that cannot be published; the default one is trained if it is missing.

    Raises:
        InputError: There is no model in the folder.
        ArtifactError: The model in the folder is damaged.
    """
    from inference.model.artifact import read_directory
    from tenantry.local.servers import require_model

    if model != MODEL:
        require_model(model)
    if (model / "manifest.json").is_file():
        read_directory(model)


def _plan(
    platform: "Platform",
    file: Path,
    stop: threading.Event,
    *,
    name: str,
    context: str | None,
    kubeconfig: Path | None,
    cluster: str | None,
) -> None:
    """Print what would change, as far as it can be known before the cluster exists."""
    from tenantry.cluster import roots

    tenants = ", ".join(tenant.name for tenant in platform.tenants)
    if context is None:
        kind = roots.cluster_root(name, stop)
        kind.plan()
        outputs = kind.state().outputs
        if not outputs:
            result(f"would create the Kind cluster {name}, install the platform, and publish models for {tenants}")
            return
        kubectl = Kubectl.find(Path(outputs["kubeconfig"]), outputs["context"])
    else:
        kubectl = Kubectl.find(kubeconfig, context)
    root = roots.platform_root(kubectl, file, stop, cluster)
    state = root.state()
    roots.require_state_of(kubectl.context, state)
    root.plan()
    for tenant in roots.removed_tenants(state, platform):
        result(f"would delete {tenant} with its namespace")
    result(f"would install the platform on context {kubectl.context} and publish models where {tenants} have none")


def _kind_cluster(name: str, stop: threading.Event) -> Target:
    from tenantry.cluster import roots

    root = roots.cluster_root(name, stop)
    known, existing = root.state().resources, roots.kind_containers(name)
    if known and not existing:
        say(f"the cluster {name} was deleted by other means; creating it again")
        root.forget()
    if existing and not known:
        raise InputError(
            f"Docker has a Kind cluster {name} that was not created from this folder: use another name with --name, "
            f"or delete it with: kind delete cluster --name {name}"
        )
    root.apply()
    outputs = root.state().outputs
    kubectl = Kubectl.find(Path(outputs["kubeconfig"]), outputs["context"])
    return Target(kubectl=kubectl, nodes=tuple(outputs["nodes"]), grafana_url=outputs["grafana_url"])


def _image_on(target: Target, stop: threading.Event) -> str:
    from tenantry.cluster import local_image

    name = local_image.build()
    local_image.load(name, target.nodes, stop=stop)
    return name


def _describe(target: Target, platform: "Platform", outputs: "Mapping[str, Any]") -> None:
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
        ("next", "tenantry smoke, tenantry load, tenantry down"),
    ]
    result("\nThe platform is up.", bold=True)
    result(f"  export KUBECONFIG={kubectl.kubeconfig}" if kubectl.kubeconfig else f"  context {kubectl.context}")
    _print_aligned([(name, text) for name, text in lines if text])


def _print_aligned(lines: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        result(f"  {name:{width}}  {text}")
