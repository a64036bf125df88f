"""`tenantry rollback`: the previous version of a model, back in platform.yaml."""

import json
from typing import Annotated

import typer

from tenantry.cluster.store_access import bucket_address
from tenantry.console import result, say
from tenantry.options import PLATFORM_FILE, EndpointOption, FileOption, Format, FormatOption, PortForwardOption


def rollback(
    tenant: Annotated[str, typer.Argument(help="The tenant of platform.yaml to roll back.")],
    *,
    file: FileOption = PLATFORM_FILE,
    endpoint: EndpointOption = None,
    port_forward: PortForwardOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Pin a tenant to the version that was published before the one that it serves.

    Only platform.yaml changes: review it, then run `tenantry synth` and apply dist/. A second rollback goes back one
    more version. The version is read from the store first, so that no tenant is pinned to a version that is not there.

    Example: tenantry rollback tenant-a --port-forward
    """
    from inference.model.artifact import read
    from inference.store.bucket import Bucket
    from inference.store.fetch import fetch
    from inference.store.registry import previous_version, published
    from tenantry.cluster.store_access import reach
    from tenantry.platform_file import find_tenant, set_model

    address = bucket_address(find_tenant(file, tenant).model)
    with reach(file, endpoint, port_forward=port_forward) as settings:
        before = previous_version(address, published(Bucket.open(address.bucket, settings), address))
        read(fetch(str(before), settings).files, expected_digest=before.digest)
    set_model(file, tenant, before)
    if output is Format.JSON:
        result(json.dumps({"tenant": tenant, "from": str(address), "to": str(before)}, indent=2))
        return
    result(str(before))
    say(f"{file}: {tenant} is pinned to it (before: {address}); next: tenantry synth, then apply dist/")
