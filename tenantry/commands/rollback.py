"""`tenantry rollback`: the version before, back into platform.yaml."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cluster.store_access import EndpointOption, PortForwardOption, bucket_address
from tenantry.commands.publish import FormatOption
from tenantry.commands.serve import PLATFORM_FILE, FileOption
from tenantry.console import result, say
from tenantry.errors import CommandError

if TYPE_CHECKING:
    from inference.address import ModelUri


def rollback(
    tenant: Annotated[str, typer.Argument(help="The tenant of platform.yaml to take back.")],
    *,
    file: FileOption = PLATFORM_FILE,
    endpoint: EndpointOption = None,
    port_forward: PortForwardOption = False,
    output: FormatOption = "text",
) -> None:
    """Pin a tenant to the version that was published before the one that it serves.

    Only platform.yaml changes: look at it, then make synth and apply dist/. A second rollback goes one further back.
    The version is read from the store first, so that nobody is pinned to what is not there.

    Example: tenantry rollback tenant-a --port-forward
    """
    from inference.model.artifact import read
    from inference.store.bucket import Bucket
    from inference.store.fetch import fetch
    from inference.store.registry import published
    from tenantry.cluster.store_access import reach
    from tenantry.platform_edit import find_tenant, set_model

    address = bucket_address(find_tenant(file, tenant).model)
    with reach(file, endpoint, port_forward=port_forward) as settings:
        before = _before(address, published(Bucket.open(address.bucket, settings), address), tenant)
        read(fetch(str(before), settings).files, expected_digest=before.digest)
    set_model(file, tenant, before)
    if output == "json":
        result(json.dumps({"tenant": tenant, "from": str(address), "to": str(before)}, indent=2))
        return
    result(str(before))
    say(f"{file}: {tenant} is pinned to it, before: {address}; now: make synth, and apply dist/")


def _before(address: "ModelUri", digests: tuple[str, ...], tenant: str) -> "ModelUri":
    """The version after the served one in `digests`, which are newest first."""
    if not digests:
        raise CommandError(f"nothing is published at {address.unpinned()} yet")
    served = address.digest or digests[0]
    if served not in digests:
        raise CommandError(f"{tenant} is pinned to sha256:{served}, which is not a published version of that model")
    older = digests[digests.index(served) + 1 :]
    if not older:
        raise CommandError(f"{tenant} serves the oldest version that is published, {address.at(served)}")
    return address.at(older[0])
