"""Which kinds the audit reads, which it does not evaluate, and which it has no use for."""

import re
from typing import Any, Final

from audit.reading.routes import ROUTE_KINDS
from audit.reading.workloads import POD, TEMPLATES

NETWORK_POLICY: Final = ("networking.k8s.io", "NetworkPolicy")
POLICY_GROUP: Final = "policy.networking.k8s.io"
ADMIN_VERSIONS: Final = {
    "AdminNetworkPolicy": {"v1alpha1"},
    "BaselineAdminNetworkPolicy": {"v1alpha1"},
    "ClusterNetworkPolicy": {"v1alpha2", "v1beta1"},
}
READ: Final = {
    "Namespace",
    "Node",
    "Service",
    "Endpoints",
    "EndpointSlice",
    "Ingress",
    "NetworkPolicy",
    "ReferenceGrant",
    *ADMIN_VERSIONS,
    *ROUTE_KINDS,
    POD[1],
    *(kind for _group, kind in TEMPLATES),
}
"""Kinds that are always parsed."""
_RESTRICTS: Final = re.compile(
    r"(NetworkPolicy|EgressFirewall|AuthorizationPolicy|PeerAuthentication|ServerAuthorization|"
    r"AdminNetworkPolicy|PolicyEndpoint|SecurityGroupPolicy)$"
)
"""Kinds of any API group that restrict traffic between pods."""
_NEVER_ENFORCED: Final = re.compile(r"^Staged")
_CLUSTER_WIDE: Final = re.compile(r"^(Global|Cluster|CiliumClusterwide|Admin|Baseline|ApplicationClusterwide)")
_ROOT_NAMESPACE: Final = {"istio-system"}
"""Namespaces in which a policy applies to every namespace."""


CLUSTER_WIDE: Final = {
    *("Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", *ADMIN_VERSIONS),
    *("StorageClass", "PriorityClass", "IngressClass", "GatewayClass", "RuntimeClass", "VolumeSnapshotClass"),
    *("CustomResourceDefinition", "APIService", "CertificateSigningRequest", "ClusterTrustBundle"),
    *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
    *("ClusterSecretStore", "ClusterExternalSecret", "CiliumClusterwideEnvoyConfig"),
}
"""Kinds whose objects are in no namespace."""
ONLY_METADATA: Final = {"CustomResourceDefinition", "ConfigMap", "Secret", "PrometheusRule"}
"""Kinds of which only the metadata is read, whatever is asked: their content decides nothing, or is secret."""


def restricts(kind: str) -> bool:
    """Whether objects of a kind may restrict traffic, whatever their group."""
    return _RESTRICTS.search(kind) is not None and not _NEVER_ENFORCED.match(kind)


def worth_parsing(kind: str | None, source: str) -> bool:
    """Whether a document may hold something that the audit reads.

    Args:
        kind: Its kind, or None where that takes parsing.
        source: Its text.
    """
    if kind is None or kind in READ or kind.endswith("List") or restricts(kind):
        return True
    return kind not in ONLY_METADATA and "template:" in source and "containers:" in source


def scope(kind: str, metadata: dict[str, Any], default_namespace: str) -> str | None:
    """The namespace that a policy of an unsupported kind restricts, or None for the whole cluster."""
    namespace = metadata.get("namespace")
    if _CLUSTER_WIDE.match(kind) or namespace in _ROOT_NAMESPACE:
        return None
    return str(namespace or default_namespace)
