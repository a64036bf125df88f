"""The profiles of `platform.cluster.profile`: what differs on common kinds of clusters, each with its source.

A profile sets defaults of other keys of `platform`; a key that the file sets replaces the profile's value as a whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

ProfileName = Literal["generic", "kind", "gke", "eks", "aks", "openshift"]


@dataclass(frozen=True)
class Derived:
    """A value that a profile sets.

    Args:
        section, key: where in `platform`, as in the file.
        value: the value.
        because: why.
        source: where this is documented.
    """

    section: str
    key: str
    value: Any
    because: str
    source: str


_NODE_LOCAL: Final = "https://github.com/kubernetes/kubernetes/tree/master/cluster/addons/dns/nodelocaldns"
_GKE_DNS: Final = "https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache"
_AZURE: Final = "https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"
_OPENSHIFT: Final = "https://docs.openshift.com/container-platform/latest"
_OPENSHIFT_DNS: Final = f"{_OPENSHIFT}/networking/dns-operator.html"
_OPENSHIFT_SCC: Final = f"{_OPENSHIFT}/authentication/managing-security-context-constraints.html"
_OPENSHIFT_MONITORING: Final = f"{_OPENSHIFT}/observability/monitoring/configuring-user-workload-monitoring.html"

PROFILES: Final[Mapping[str, tuple[Derived, ...]]] = {
    "generic": (),
    "kind": (),
    "eks": (),
    "gke": (
        Derived(
            "dns",
            "addresses",
            ("169.254.20.10/32",),
            "NodeLocal DNSCache is on by default; on nodes with kube-proxy its pods use the host network, so that no "
            "selector of pods matches them",
            _NODE_LOCAL,
        ),
        Derived(
            "dns",
            "cachePodLabels",
            {"k8s-app": "node-local-dns"},
            "Dataplane V2 sends DNS requests to the cache's pods and judges them by their labels",
            _GKE_DNS,
        ),
    ),
    "aks": (
        Derived(
            "network",
            "platformCidrs",
            ("168.63.129.16/32",),
            "a public address of the Azure platform that serves configuration and credentials of the node",
            _AZURE,
        ),
    ),
    "openshift": (
        Derived("dns", "namespace", "openshift-dns", "the DNS Operator runs the servers there", _OPENSHIFT_DNS),
        Derived(
            "dns",
            "podLabels",
            {"dns.operator.openshift.io/daemonset-dns": "default"},
            "the label of the DNS Operator's DaemonSet",
            _OPENSHIFT_DNS,
        ),
        Derived("dns", "port", 5353, "the port of the pods, to which the Service forwards port 53", _OPENSHIFT_DNS),
        Derived(
            "pods",
            "fixedUser",
            False,
            "restricted-v2 assigns a UID of the namespace's range and refuses a fixed one",
            _OPENSHIFT_SCC,
        ),
        Derived(
            "monitoring",
            "namespace",
            "openshift-user-workload-monitoring",
            "the Prometheus for user-defined projects",
            _OPENSHIFT_MONITORING,
        ),
        Derived(
            "guard",
            "exemptGroups",
            ("system:serviceaccounts:openshift-infra",),
            "OpenShift's controllers create bindings in every new namespace",
            _OPENSHIFT_SCC,
        ),
    ),
}


def with_profile(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The section `platform` of a file, completed by the values of its profile."""
    cluster = settings.get("cluster")
    name = cluster.get("profile") if isinstance(cluster, Mapping) else None
    result = dict(settings)
    for each in PROFILES.get(name, ()) if isinstance(name, str) else ():
        section = result.get(each.section, None if each.section == "guard" else {})
        if section is True:
            section = {}
        if isinstance(section, Mapping):
            result[each.section] = {each.key: each.value, **section}
    return result


def derived(name: str, settings: Mapping[str, Any]) -> Iterator[tuple[Derived, Any, bool]]:
    """What a profile derives.

    Args:
        name: the profile.
        settings: the effective section `platform`, by the keys of the file and as plain JSON.

    Yields:
        The derived value, the effective value, and whether the file replaces the former.
    """
    for each in PROFILES[name]:
        section = settings.get(each.section)
        if isinstance(section, Mapping):
            effective = section[each.key]
            own = list(each.value) if isinstance(each.value, tuple) else each.value
            yield each, effective, effective != own
