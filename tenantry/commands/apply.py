"""`tenantry apply`: dist/ into a cluster, and out of it what dist/ no longer holds."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tenantry.cluster.kubectl import Kubectl, confirm, confirmed
from tenantry.console import result, say, step
from tenantry.errors import InputError
from tenantry.options import DIST, ContextOption, DistOption, DryRunOption, KubeconfigOption

MANAGED: Final = "app.kubernetes.io/managed-by"
OURS: Final = f"{MANAGED}=tenantry"
TENANTS: Final = f"{OURS},app.kubernetes.io/name=ml-inference"
PLATFORM: Final = f"{OURS},app.kubernetes.io/name!=ml-inference"
"""What is a tenant's and what is the platform's: two passes, since of the two only tenants' Namespaces are ever pruned.
The namespace of the monitoring carries our label, too, and is not ours to delete."""
PLATFORM_KINDS: Final = ("core/v1/ConfigMap",)
TENANT_KINDS: Final = (
    "core/v1/Namespace",
    "core/v1/ConfigMap",
    "core/v1/LimitRange",
    "core/v1/ResourceQuota",
    "core/v1/Service",
    "core/v1/ServiceAccount",
    "apps/v1/Deployment",
    "autoscaling/v2/HorizontalPodAutoscaler",
    "networking.k8s.io/v1/NetworkPolicy",
    "policy/v1/PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1/Role",
    "rbac.authorization.k8s.io/v1/RoleBinding",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1alpha1/AlertmanagerConfig",
)
"""Everything that dist/ may hold, and nothing else: kubectl prunes no other kind."""
GONE_SECONDS: Final = 300
_PRUNED: Final = re.compile(r"^(?P<kind>\S+?)/(?P<name>\S+) pruned", re.MULTILINE)


def apply(
    dist: DistOption = DIST,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Apply dist/ to a cluster and remove what Tenantry applied before and dist/ no longer holds.

    A tenant that was taken out of platform.yaml goes with its namespace and all that is in it, and only if the variable
    CONFIRM names it. What does not carry our label is never touched. CONFIRM may hold several words: the context, which
    is asked for otherwise, and the tenants that go.

    Example: CONFIRM="kind-tenantry tenant-c" tenantry apply
    """
    kubectl = Kubectl.find(kubeconfig, context)
    _check(dist)
    kubectl.require_reachable()
    going = list(_prunable(kubectl, dist))
    tenants = [name for kind, name in going if kind == "namespace"]
    for kind, name in going:
        say(f"goes: {kind} {name}{' and all that is in it' if kind == 'namespace' else ''}")
    if dry_run:
        result("\n".join(f"{kind}/{name}" for kind, name in going) or "nothing goes")
        return
    if not going and kubectl.try_run("diff", "-f", str(dist)).returncode == 0:
        result(f"nothing changed: context {kubectl.context} is as {dist}/ says")
        return
    if unnamed := [name for name in tenants if not confirmed(name)]:
        raise InputError(
            f"{', '.join(unnamed)} would be deleted from context {kubectl.context}, namespace, models' keys, pods and "
            f'all: say CONFIRM="{kubectl.context} {" ".join(tenants)}" if that is what you mean; nothing was changed'
        )
    confirm(kubectl, " and ".join([f"apply {dist}/", *(f"delete {name}" for name in tenants)]))
    with step(f"applying {dist}/"):
        lines = [line for arguments in _passes(dist) for line in kubectl.run("apply", *arguments).splitlines()]
    for name in tenants:
        with step(f"waiting until {name} is gone"):
            kubectl.run("wait", "--for=delete", f"namespace/{name}", f"--timeout={GONE_SECONDS}s")
    result("\n".join(line for line in lines if not line.endswith(" unchanged")))


def _passes(dist: Path) -> Iterator[list[str]]:
    """The arguments of kubectl's two runs, the platform's first: its namespace holds what the second needs."""
    for selector, kinds in ((PLATFORM, PLATFORM_KINDS), (TENANTS, TENANT_KINDS)):
        yield ["-f", str(dist), "-l", selector, "--prune", *(f"--prune-allowlist={kind}" for kind in kinds)]


def _prunable(kubectl: Kubectl, dist: Path) -> Iterator[tuple[str, str]]:
    """Kind and name of what kubectl would prune, as it says itself."""
    for arguments in _passes(dist):
        for found in _PRUNED.finditer(kubectl.run("apply", *arguments, "--dry-run=client")):
            yield found["kind"], found["name"]


def _check(dist: Path) -> None:
    """Refuse an empty folder, which would prune everything, and objects that pruning could not know again."""
    files = sorted(dist.glob("*.yaml")) if dist.is_dir() else []
    objects: list[Mapping[str, Any]] = [each for path in files for each in YAML(typ="safe").load_all(path) if each]
    namespaces = [
        each["metadata"]["name"]
        for each in objects
        if each["kind"] == "Namespace" and each["metadata"]["labels"].get("app.kubernetes.io/name") == "ml-inference"
    ]
    if not namespaces:
        raise InputError(f"--dist {dist}: no tenant is in it, so that every tenant would go; run `tenantry synth`")
    for each in objects:
        if each["metadata"].get("labels", {}).get(MANAGED) != "tenantry":
            name = f"{each['kind']} {each['metadata']['name']}"
            raise InputError(f"--dist {dist}: {name} lacks the label {OURS}, by which it would be found again")
