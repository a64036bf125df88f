"""Warnings about a valid `platform.yaml`; every way to synthesize prints them."""

from collections.abc import Iterator
from typing import Final

from constructs_lib.platform._quantities import byte_count
from constructs_lib.platform.capacity import shortfall
from constructs_lib.platform.document import Platform
from constructs_lib.platform.tenant import Tenant
from constructs_lib.platform.validators import is_in_store, is_pinned
from constructs_lib.special_purpose_addresses import is_public_network

SMALL_STORAGE: Final = "128Mi"
"""The logs that a node keeps of a container (50Mi) and a full `/tmp` (64Mi) fit into this."""
_SHOWN: Final = 5
"""Tenants that a warning names; of more, it gives their number."""


def warnings(platform: Platform) -> tuple[str, ...]:
    """The warnings about a platform, one line each."""
    return tuple(_warnings(platform))


def _warnings(platform: Platform) -> Iterator[str]:
    tenants = platform.tenants
    if names := _names(tenant for tenant in tenants if not is_pinned(tenant.model)):
        yield f"the model of {names} is not pinned to a digest: a pod serves the latest version when it starts"
    if names := _names(tenant for tenant in tenants if not is_in_store(tenant.model)):
        yield f"the model of {names} is a folder: pods can only load it if the image contains that folder"
    if names := _names(
        tenant for tenant in tenants if _is_less(tenant.resources.limits.ephemeral_storage, SMALL_STORAGE)
    ):
        yield f"the ephemeral-storage limit of {names} is below {SMALL_STORAGE}: logs and /tmp can cause an eviction"
    if names := _names(tenant for tenant in tenants if any(not is_public_network(each.cidr) for each in tenant.egress)):
        yield f"the egress of {names} includes private addresses: make sure that the cluster does not use them"
    cluster = platform.platform.cluster
    if cluster is not None and cluster.has_size and (short := shortfall(tenants, cluster)):
        yield short


def _names(tenants: Iterator[Tenant]) -> str:
    names = [tenant.name for tenant in tenants]
    shown, more = ", ".join(names[:_SHOWN]), len(names) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _is_less(quantity: str, other: str) -> bool:
    return byte_count(quantity) < byte_count(other)
