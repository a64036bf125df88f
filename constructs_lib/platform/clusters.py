"""The rules of tenants on several clusters."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pydantic_core import PydanticCustomError

from constructs_lib.platform._section import refusal, refuse_all


class Placed(Protocol):
    """The part of a tenant that these rules need."""

    @property
    def name(self) -> str:
        """Name of the tenant."""

    @property
    def cluster(self) -> str | None:
        """Its cluster."""

    @property
    def shared_with(self) -> tuple[str, ...]:
        """Tenants that it may call."""


def check_clusters(clusters: Sequence[str], tenants: Sequence[Placed]) -> None:
    """Check that each tenant names a cluster of the list, each cluster has a tenant, and sharing stays in a cluster.

    Args:
        clusters: the names of the clusters; empty if there is one cluster without a name.
        tenants: the tenants, in order.
    """
    refuse_all([*_wrong_clusters(clusters, tenants), *_wrong_tenants(clusters, tenants)])


def _wrong_clusters(clusters: Sequence[str], tenants: Sequence[Placed]) -> Iterator[PydanticCustomError]:
    used = {tenant.cluster for tenant in tenants}
    for index, name in enumerate(clusters):
        if name in clusters[:index]:
            yield refusal("must not appear twice", "remove one of them", at=("clusters", index))
        elif name not in used:
            yield refusal("must have a tenant", "remove the cluster or add a tenant", at=("clusters", index))


def _wrong_tenants(clusters: Sequence[str], tenants: Sequence[Placed]) -> Iterator[PydanticCustomError]:
    cluster_of = {tenant.name: tenant.cluster for tenant in tenants}
    for index, tenant in enumerate(tenants):
        at = ("tenants", index)
        if tenant.cluster and not clusters:
            yield refusal("needs the list of clusters", "add 'clusters' to the file", at=(*at, "cluster"))
        elif clusters and tenant.cluster not in clusters:
            rule = f"must be one of {', '.join(clusters)}"
            yield refusal(rule, "correct the name, or add it to 'clusters'", at=(*at, "cluster"))
        for number, other in enumerate(tenant.shared_with):
            if cluster_of.get(other, tenant.cluster) != tenant.cluster:
                rule = "must be a tenant on the same cluster"
                yield refusal(rule, "move one of them, or remove the entry", at=(*at, "sharedWith", number))
