"""`tenantry apply`: applies dist/ to a cluster, and deletes what dist/ no longer holds."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

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

MANAGED: Final = "app.kubernetes.io/managed-by"
OURS: Final = f"{MANAGED}=tenantry"
TENANTS: Final = f"{OURS},app.kubernetes.io/name=ml-inference"
PLATFORM: Final = f"{OURS},app.kubernetes.io/name!=ml-inference"
"""Tenants' objects and the platform's are applied in two passes, because only Namespaces of tenants are ever pruned.
The monitoring namespace has our label too, but is not ours to delete."""
GATEWAY_API: Final = "gateway.networking.k8s.io"
"""API group that a cluster without a gateway does not have; kubectl refuses to prune kinds that it does not know."""
PLATFORM_KINDS: Final = (
    "core/v1/ConfigMap",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
)
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
    f"{GATEWAY_API}/v1/HTTPRoute",
)
"""Every kind that dist/ can hold; kubectl prunes no other kind."""
GONE_SECONDS: Final = 300
_PRUNED: Final = re.compile(r"^(?P<kind>\S+?)/(?P<name>\S+) pruned", re.MULTILINE)


def apply(
    dist: DistOption = DIST,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    *,
    file: FileOption = PLATFORM_FILE,
    dry_run: DryRunOption = False,
    skip_preflight: SkipPreflightOption = None,
) -> None:
    """Apply dist/ to a cluster, and delete what Tenantry applied before and dist/ no longer holds.

    A tenant that was removed from platform.yaml is deleted with its namespace and everything in it, and only if the
    variable CONFIRM names it. Objects without Tenantry's label are never changed. CONFIRM can hold several words: the
    context, to skip the confirmation, and the tenants to delete. First, the checks of `tenantry preflight` run: if one
    is blocking, nothing is applied.

    Example: CONFIRM="kind-tenantry tenant-c" tenantry apply
    """
    from tenantry.preflight.inspection import require_ready

    kubectl = Kubectl.find(kubeconfig, context)
    _check(dist)
    kubectl.require_reachable()
    require_ready(kubectl, file, skip=skip_preflight)
    going = list(_prunable(kubectl, dist))
    tenants = [name for kind, name in going if kind == "namespace"]
    for kind, name in going:
        say(f"to delete: {kind} {name}{' and everything in it' if kind == 'namespace' else ''}")
    if dry_run:
        result("\n".join(f"{kind}/{name}" for kind, name in going) or "nothing to delete")
        return
    if not going and not kubectl.differs(dist):
        result(f"nothing changed: context {kubectl.context} is as {dist}/ describes it")
        return
    if unnamed := [name for name in tenants if not confirmed(name)]:
        words = " ".join([kubectl.context, *tenants])
        raise InputError(
            f"{', '.join(unnamed)} would be deleted from context {kubectl.context}, with the namespace, the pods and "
            f'the keys to the model store; nothing was changed; confirm with CONFIRM="{words}"'
        )
    confirm(kubectl, " and ".join([f"apply {dist}/", *(f"delete {name}" for name in tenants)]))
    label_running_pods(kubectl)
    with step(f"applying {dist}/"):
        lines = [line for arguments in _passes(kubectl, dist) for line in kubectl.run("apply", *arguments).splitlines()]
    for name in tenants:
        with step(f"waiting until {name} is deleted"):
            kubectl.run("wait", "--for=delete", f"namespace/{name}", f"--timeout={GONE_SECONDS}s")
    result("\n".join(line for line in lines if not line.endswith(" unchanged")))


def _passes(kubectl: Kubectl, dist: Path) -> Iterator[list[str]]:
    """The arguments of kubectl's two runs; the platform's comes first, because tenants need what it creates."""
    has_routes = kubectl.serves(GATEWAY_API)
    of_tenants = [kind for kind in TENANT_KINDS if has_routes or not kind.startswith(GATEWAY_API)]
    for selector, kinds in ((PLATFORM, PLATFORM_KINDS), (TENANTS, of_tenants)):
        yield ["-f", str(dist), "-l", selector, "--prune", *(f"--prune-allowlist={kind}" for kind in kinds)]


def _prunable(kubectl: Kubectl, dist: Path) -> Iterator[tuple[str, str]]:
    """Kind and name of each object that kubectl would prune, from its own output."""
    for arguments in _passes(kubectl, dist):
        for found in _PRUNED.finditer(kubectl.run("apply", *arguments, "--dry-run=client")):
            yield found["kind"], found["name"]


def _check(dist: Path) -> None:
    """Refuse a folder without tenants, which would prune everything, and objects that pruning could not find again."""
    files = sorted(dist.glob("*.yaml")) if dist.is_dir() else []
    objects: list[Mapping[str, Any]] = [each for path in files for each in YAML(typ="safe").load_all(path) if each]
    namespaces = [
        each["metadata"]["name"]
        for each in objects
        if each["kind"] == "Namespace" and each["metadata"]["labels"].get("app.kubernetes.io/name") == "ml-inference"
    ]
    if not namespaces:
        raise InputError(f"--dist {dist}: holds no tenant, so every tenant would be deleted; run `tenantry synth`")
    for each in objects:
        if each["metadata"].get("labels", {}).get(MANAGED) != "tenantry":
            name = f"{each['kind']} {each['metadata']['name']}"
            raise InputError(f"--dist {dist}: {name} does not have the label {OURS}, by which pruning finds it")
