"""`tenantry apply`: applies dist/ to a cluster, and deletes what dist/ no longer holds."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.cluster.kubectl import Kubectl, confirm, confirmed
from tenantry.cluster.pod_labels import label_running_pods
from tenantry.console import result, say, step
from tenantry.errors import InputError
from tenantry.options import (
    DIST,
    PLATFORM_FILE,
    ContextOption,
    DistOption,
    DryRunOption,
    FileOption,
    KubeconfigOption,
    SkipPreflightOption,
)

if TYPE_CHECKING:
    from tenantry.cluster.applying.plan import Plan

GONE_SECONDS: Final = 300
_SHOWN: Final = 10
"""Tenants whose reasons are printed one by one."""
AllOption = Annotated[bool, typer.Option("--all", help="Apply every tenant, including those that would be skipped.")]


def apply(
    dist: DistOption = DIST,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    *,
    file: FileOption = PLATFORM_FILE,
    everything: AllOption = False,
    dry_run: DryRunOption = False,
    skip_preflight: SkipPreflightOption = None,
) -> None:
    """Apply dist/ to a cluster, and delete what Tenantry applied before and dist/ no longer holds.

    A tenant is skipped if its file and all its objects on the cluster are as its last apply left them; --all applies it
    anyway. After an interruption, the next apply continues where the last one stopped.

    A tenant that was removed from platform.yaml is deleted with its namespace and everything in it, and only if the
    variable CONFIRM names it. Objects without Tenantry's label are never changed. CONFIRM can hold several words: the
    context, to skip the confirmation, and the tenants to delete. First, the checks of `tenantry preflight` run: if one
    is blocking, nothing is applied.

    Example: CONFIRM="kind-tenantry tenant-c" tenantry apply
    """
    from tenantry.cluster.applying import server as api
    from tenantry.cluster.applying.folder import Folder
    from tenantry.cluster.applying.plan import plan
    from tenantry.cluster.applying.run import Runner
    from tenantry.preflight.inspection import require_ready

    kubectl = Kubectl.find(kubeconfig, context)
    folder = Folder.of(dist)
    if folder.platform:
        folder.platform.check()
    kubectl.require_reachable()
    require_ready(kubectl, file, cluster=dist.resolve().name, skip=skip_preflight)
    with api.connect(kubectl) as server:
        with step(f"comparing {dist}/ with context {kubectl.context}"):
            todo = plan(folder, server, everything=everything)
        _explain(todo)
        runner = Runner(kubectl, server, folder, todo)
        going = runner.prunable()
        tenants = [name for kind, name in going if kind == "namespace"]
        for kind, name in going:
            say(f"to delete: {kind} {name}{' and everything in it' if kind == 'namespace' else ''}")
        if dry_run:
            result("\n".join(f"{kind}/{name}" for kind, name in going) or "nothing to delete")
            return
        if not going and not todo.apply and not (folder.platform and kubectl.differs(folder.platform.path)):
            result(f"nothing changed: context {kubectl.context} is as {dist}/ describes it")
            return
        _require_named(tenants, kubectl.context)
        confirm(kubectl, " and ".join([f"apply {dist}/", *(f"delete {name}" for name in tenants)]))
        label_running_pods(kubectl)
        with step(f"applying {dist}/"):
            lines = runner.platform()
            done = 0
            for count, changed in runner.tenants():
                done, lines = done + count, lines + changed
                say(f"applied {done:,} of {len(todo.apply):,} tenants")
            lines += runner.prune()
    for name in tenants:
        with step(f"waiting until {name} is deleted"):
            kubectl.run("wait", "--for=delete", f"namespace/{name}", f"--timeout={GONE_SECONDS}s")
    result("\n".join(lines))


def _explain(todo: "Plan") -> None:
    """Say which tenants are applied and which are skipped, and why."""
    for name, reason in list(todo.apply.items())[:_SHOWN]:
        say(f"to apply: {name} {reason}")
    if (more := len(todo.apply) - _SHOWN) > 0:
        say(f"to apply: {more:,} more tenants")
    if todo.skip:
        say(
            f"skipping {len(todo.skip):,} of {len(todo.skip) + len(todo.apply):,} tenants: their files are those of "
            "the last apply, and none of their objects was changed, deleted or added since; --all applies them, too"
        )


def _require_named(tenants: list[str], context: str) -> None:
    """Refuse to delete tenants that the variable CONFIRM does not name."""
    if unnamed := [name for name in tenants if not confirmed(name)]:
        words = " ".join([context, *tenants])
        raise InputError(
            f"{', '.join(unnamed)} would be deleted from context {context}, with the namespace, the pods and "
            f'the keys to the model store; nothing was changed; confirm with CONFIRM="{words}"'
        )
