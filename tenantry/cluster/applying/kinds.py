"""Labels and kinds of the objects in dist/, by which they are found again."""

from typing import Final

from constructs_lib.names import MANAGED_BY, PART_OF

OURS: Final = f"{MANAGED_BY}={PART_OF}"
TENANTS: Final = f"{OURS},app.kubernetes.io/name=ml-inference"
PLATFORM: Final = f"{OURS},app.kubernetes.io/name!=ml-inference"
"""Tenants' objects and the platform's are applied in two passes, because only Namespaces of tenants are ever pruned.
The monitoring namespace has our label too, but is not ours to delete."""
INSTANCE: Final = "app.kubernetes.io/instance"
"""Label whose value is the tenant. Objects of earlier versions have it, too, and not `tenantry.dev/tenant`."""
NAMESPACE: Final = "core/v1/Namespace"
GATEWAY_API: Final = "gateway.networking.k8s.io"
"""API group that a cluster without a gateway does not have; kubectl refuses to prune kinds that it does not know."""
BASELINE: Final = "policy.networking.k8s.io/v1alpha2/ClusterNetworkPolicy"
"""A tenant's kind that belongs to no namespace, so that it is not deleted with the tenant's."""
PLATFORM_KINDS: Final = (
    "core/v1/ConfigMap",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
)
TENANT_KINDS: Final = (
    NAMESPACE,
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
    BASELINE,
)
"""Every kind that dist/ can hold; kubectl prunes no other kind."""
