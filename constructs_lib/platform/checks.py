"""Warnings about a valid `platform.yaml`; every way to synthesize prints them."""

from constructs_lib.platform.capacity import shortfall
from constructs_lib.platform.document import Platform
from constructs_lib.platform.validators import is_pinned


def warnings(platform: Platform) -> tuple[str, ...]:
    """The warnings about a platform, one line each."""
    found = []
    unpinned = ", ".join(tenant.name for tenant in platform.tenants if not is_pinned(tenant.model))
    if unpinned:
        found.append(
            f"the model of {unpinned} is not pinned to a digest: a pod serves the latest version when it starts"
        )
    cluster = platform.platform.cluster
    if cluster is not None and (short := shortfall(platform.tenants, cluster)):
        found.append(short)
    return tuple(found)
