"""Whether the cluster enforces NetworkPolicies."""

from collections.abc import Iterator
from typing import Final

from tenantry.preflight.api import Object, RefusedError
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

_REQUIRED: Final = "a network plugin that enforces NetworkPolicies, in both directions"
_PLUGINS: Final = {
    "anetd": "GKE Dataplane V2",
    "antrea-agent": "Antrea",
    "aws-node": "Amazon VPC CNI",
    "azure-npm": "Azure NPM",
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "kindnet": "kindnet (enforces since Kind 0.24)",
    "kube-router": "kube-router",
    "ovnkube-node": "OVN-Kubernetes",
    "weave-net": "Weave Net",
}
"""Plugins that enforce NetworkPolicies, by the name of their DaemonSet."""
_EKS_AGENT: Final = "--enable-network-policy="
_EKS_MODE: Final = "NETWORK_POLICY_ENFORCING_MODE"


def check_enforcement(inspected: Inspected) -> Iterator[Finding]:
    """What is certain is what a probe observed; without one, the plugins that run are named."""
    try:
        sets, unknown = inspected.api.items("/apis/apps/v1/daemonsets") or [], "no DaemonSet of a known network plugin"
    except RefusedError as error:
        sets, unknown = [], f"the network plugin is not known: {error}"
    named = {each["metadata"]["name"]: each for each in sets}
    known = [title for name, title in _PLUGINS.items() if name in named]
    found = f"runs {', '.join(known)}" if known else unknown
    switches = list(_eks(named["aws-node"])) if "aws-node" in named else []
    yield from switches
    if inspected.probe:
        yield from inspected.probe.enforcement(_REQUIRED, found)
        return
    if any(each.status is Status.BLOCKING for each in switches):
        return
    status = Status.SKIPPED if known else Status.WARNING
    yield Finding(status=status, found=found, required=_REQUIRED, fix="test it with --probe")


def _eks(plugin: Object) -> Iterator[Finding]:
    """The two switches of the VPC CNI plugin."""
    containers = plugin["spec"]["template"]["spec"]["containers"]
    arguments = [str(part) for each in containers for part in each.get("args") or []]
    variables = {each["name"]: each.get("value", "") for container in containers for each in container.get("env") or []}
    if f"{_EKS_AGENT}true" not in arguments and any(each.startswith(_EKS_AGENT) for each in arguments):
        found = f"Amazon VPC CNI runs with {_EKS_AGENT}false: policies have no effect"
        fix = 'set enableNetworkPolicy: "true" in the configuration of the add-on vpc-cni'
        yield Finding(status=Status.BLOCKING, found=found, required=_REQUIRED, fix=fix)
    elif variables.get(_EKS_MODE) != "strict":
        found = f"Amazon VPC CNI in standard mode: a new pod is open until its policies apply ({_EKS_MODE} not strict)"
        fix = f"set {_EKS_MODE}=strict on the DaemonSet aws-node"
        yield Finding(status=Status.WARNING, found=found, required="closed from the start", fix=fix)
