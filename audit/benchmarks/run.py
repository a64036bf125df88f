"""Every check for every tenant of a contract."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from audit.benchmarks import permissions, pods, resources
from audit.benchmarks.catalog import BENCHMARKS
from audit.benchmarks.network import Crossings
from audit.benchmarks.result import Answer, Result
from audit.benchmarks.tenant import Index, View
from audit.cluster import Cluster
from audit.contract import Contract

_CHECKS: Final[Mapping[str, Callable[[View], Answer]]] = {
    "block-access-to-cluster-resources": permissions.cluster_resources,
    "block-multitenant-resources": permissions.isolating_objects,
    "block-other-tenant-resources": permissions.other_tenants,
    "require-always-pull-image": resources.image_pulls,
    "configure-ns-quotas": resources.quotas,
    "configure-ns-object-quota": resources.object_quotas,
    "block-use-of-nodeport-services": resources.node_ports,
    "block-ns-quota": permissions.quotas,
    "block-role-privilege-escalation": permissions.escalation,
    "create-network-policies": permissions.network_policies,
    "create-role-bindings": permissions.role_bindings,
    "require-reclaim-policy-delete": resources.reclaim_policy,
    "block-use-of-existing-pvs": resources.existing_volumes,
    "self-service-roles": permissions.roles,
}
_NETWORK: Final = "block-network-across-tenants"


def results(contract: Contract, cluster: Cluster) -> Iterator[Result]:
    """What every check says about every tenant, tenant by tenant, in the order of the catalog.

    Args:
        contract: The tenants, and what they may do.
        cluster: The input, read in detail.
    """
    tenants = contract.spec.tenants
    index = Index(cluster)
    crossings = Crossings(cluster, tenants)
    for tenant in tenants:
        view = View(tenant, contract, cluster, index)
        for each in BENCHMARKS:
            yield Result(each.name, tenant.name, _answer(each.name, view, crossings))


def _answer(name: str, view: View, crossings: Crossings) -> Answer:
    if name == _NETWORK:
        return crossings.check(view)
    return pods.check(name, view) if name in pods.NAMES else _CHECKS[name](view)
