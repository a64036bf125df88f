"""`tenantry down`: removes what `tenantry up` created."""

import shutil
import threading

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say
from tenantry.options import (
    CLUSTER_NAME,
    KUBECONFIG,
    PLATFORM_FILE,
    ClusterNameOption,
    ContextOption,
    DryRunOption,
    FileOption,
    KubeconfigOption,
)


def down(
    *,
    name: ClusterNameOption = CLUSTER_NAME,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
    dry_run: DryRunOption = False,
) -> None:
    """Delete the Kind cluster with everything on it: pods, buckets, metrics. Nothing of it is left on this machine.

    With --context, the cluster stays, and the command asks before it removes what terraform/platform created there.

    Example: tenantry down
    """
    from tenantry.cluster import roots
    from tenantry.processes import stop_requested

    roots.require_programs(docker=context is None)
    cluster = None
    with stop_requested() as stop:
        if context is not None:
            kubectl = Kubectl.find(kubeconfig, context)
            root = roots.platform_root(kubectl, file, stop)
            state = root.state()
            roots.require_state_of(kubectl.context, state)
            if dry_run:
                _print(state.resources)
                return
            confirm(kubectl, "remove the platform, its tenants and their buckets")
            cluster = state.outputs.get("cluster")
            root = roots.platform_root(kubectl, file, stop, cluster)
            root.destroy()
            root.discard_empty_state()
        elif dry_run:
            _print([f"container {each}" for each in roots.kind_containers(name)])
            _print(roots.cluster_root(name, stop).state().resources)
            return
        else:
            _delete_kind_cluster(name, stop)
    shutil.rmtree(roots.DIST / (cluster or ""), ignore_errors=True)  # other clusters keep their folders
    say("down: everything was removed")


def _delete_kind_cluster(name: str, stop: threading.Event) -> None:
    from tenantry.cluster import roots, terraform

    root = roots.cluster_root(name, stop)
    platform = terraform.Terraform(root=terraform.PLATFORM, variables={}, stop=stop)
    # Both states are read before anything is deleted: one that cannot be read stops the command here.
    known, installed = root.state().resources, platform.state().outputs.get("context") == f"kind-{name}"
    if known and roots.kind_containers(name):
        root.destroy()
    elif known:
        say(f"the cluster {name} was deleted by other means")
        root.forget()
    else:
        say(f"no cluster {name} was created from this folder")
    if installed:
        # Its objects were deleted with the cluster: a destroy would have no API server to talk to.
        platform.forget()
        platform.discard_empty_state()
    root.discard_empty_state()
    KUBECONFIG.unlink(missing_ok=True)


def _print(resources: "tuple[str, ...] | list[str]") -> None:
    for resource in resources:
        result(f"would delete {resource}")
    if not resources:
        result("nothing to delete")
