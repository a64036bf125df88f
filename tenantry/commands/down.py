"""`tenantry down`: takes away what `tenantry up` made."""

import shutil

from tenantry.cluster import terraform
from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.cluster.terraform import Terraform
from tenantry.commands.up import (
    DIST,
    cluster_root,
    kind_containers,
    platform_root,
    require_programs,
    require_state_of,
)
from tenantry.console import say
from tenantry.options import (
    CLUSTER_NAME,
    KUBECONFIG,
    PLATFORM_FILE,
    ClusterNameOption,
    ContextOption,
    FileOption,
    KubeconfigOption,
)


def down(
    *,
    name: ClusterNameOption = CLUSTER_NAME,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
) -> None:
    """Delete the Kind cluster and all that is on it: pods, buckets, figures. Nothing of it is left on this machine.

    With --context the cluster stays, and what terraform/platform put there is removed, after a question.

    Example: tenantry down
    """
    from tenantry.processes import stop_requested

    require_programs(docker=context is None)
    with stop_requested() as stop:
        if context is not None:
            kubectl = Kubectl.find(kubeconfig, context)
            root = platform_root(kubectl, file, stop)
            require_state_of(root, kubectl.context)
            confirm(kubectl, "remove the platform, its tenants and their buckets")
            root.destroy()
            root.discard_empty_state()
        else:
            _delete_kind_cluster(cluster_root(name, stop), name)
    shutil.rmtree(DIST, ignore_errors=True)
    say("down: nothing is left")


def _delete_kind_cluster(root: Terraform, name: str) -> None:
    if root.resources():
        if kind_containers(name):
            root.destroy()
        else:
            say(f"the cluster {name} was deleted by other means")
            root.forget()
    else:
        say(f"no cluster {name} was made from this folder")
    platform = Terraform(root=terraform.PLATFORM, variables={}, stop=root.stop)
    if platform.outputs().get("context") == f"kind-{name}":
        # Its objects went with the cluster: a destroy one by one would have nothing to talk to.
        platform.forget()
        platform.discard_empty_state()
    root.discard_empty_state()
    KUBECONFIG.unlink(missing_ok=True)
