"""`tenantry publish`: a trained model into the store, for a tenant to serve."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cluster.store_access import bucket_address
from tenantry.console import result, say, step
from tenantry.errors import CommandError, InputError
from tenantry.options import (
    MODEL,
    PLATFORM_FILE,
    DryRunOption,
    EndpointOption,
    FileOption,
    Format,
    FormatOption,
    ModelOption,
    PortForwardOption,
)

if TYPE_CHECKING:
    from constructs_lib.platform import Tenant
    from inference.address import ModelUri
    from inference.model.manifest import Manifest
    from inference.store.bucket import Bucket


def publish(
    tenant: Annotated[str, typer.Argument(help="The tenant of platform.yaml that the model is for.")],
    *,
    model: ModelOption = MODEL,
    file: FileOption = PLATFORM_FILE,
    write: Annotated[bool, typer.Option("--write", help="Pin the tenant to this version in platform.yaml.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Publish even if it is worse than the served model.")] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="By how much a hold-out metric may fall below the served model's.")
    ] = 0.01,
    endpoint: EndpointOption = None,
    port_forward: PortForwardOption = False,
    output: FormatOption = Format.TEXT,
    dry_run: DryRunOption = False,
) -> None:
    """Publish a trained model for a tenant and print its digest.

    The model is checked, compared with the one that the tenant serves now, and written to the address in platform.yaml,
    completely or not at all; published versions are never overwritten. The key pair comes from AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY. A tenant that is not pinned serves the new version when its pods start next.

    Example: tenantry publish tenant-a --model build/models/spam --port-forward --write
    """
    from inference.model.artifact import read_directory
    from inference.store.bucket import Bucket
    from inference.store.registry import publish as put
    from tenantry.cluster.store_access import reach
    from tenantry.local.servers import require_model
    from tenantry.platform_file import find_tenant, require_model_line, set_model

    found = find_tenant(file, tenant)
    address = bucket_address(found.model)
    if write:
        require_model_line(file, tenant)
    require_model(model)
    artifact = read_directory(model)
    _refuse_unfit(artifact.manifest, found)
    with reach(file, endpoint, port_forward=port_forward) as settings:
        bucket = Bucket.open(address.bucket, settings)
        if not force:
            _refuse_worse(artifact.manifest, _served(bucket, address), tolerance, tenant)
        if dry_run:
            result(f"would publish {address.at(artifact.digest)}")
            return
        with step(f"publishing {model} to s3://{address.bucket}/{address.path}"):
            publication = put(model, str(address.unpinned()), settings)
    pinned = write and set_model(file, tenant, publication.uri)
    if output is Format.JSON:
        document = {"tenant": tenant, "uri": str(publication.uri), "digest": f"sha256:{publication.uri.digest}"}
        result(json.dumps({**document, "created": publication.created, "pinned": write}, indent=2))
        return
    result(str(publication.uri))
    if not publication.created:
        say("this version was already published; nothing was written")
    if pinned:
        say(f"{file}: {tenant} is pinned to it; next: tenantry synth, then apply dist/")


def _refuse_unfit(manifest: "Manifest", tenant: "Tenant") -> None:
    """Refuse a model that the tenant's pods cannot run."""
    from constructs_lib.platform.runtime import memory_beyond
    from inference.model.manifest import OnnxManifest

    if manifest.runtime != tenant.runtime:
        raise InputError(
            f"'{manifest.name}' needs runtime '{manifest.runtime}', and {tenant.name} has '{tenant.runtime}'; set the"
            " tenant's runtime, or publish another model"
        )
    if isinstance(manifest, OnnxManifest):
        limit = tenant.resources.limits.memory
        if needed := memory_beyond(manifest.memory_bytes, limit):
            raise InputError(
                f"a pod with '{manifest.name}' can take {needed}, and {tenant.name} has a memory limit of {limit};"
                " raise resources.limits.memory, or publish a smaller model"
            )


def _served(bucket: "Bucket", address: "ModelUri") -> "Manifest | None":
    """The manifest of the version that the tenant serves, if it is in the store."""
    from inference.store.registry import manifest, published, served_version

    served = served_version(address, published(bucket, address))
    if address.digest and served is None:
        say(f"the pinned version, sha256:{address.digest}, is not in this store: there is nothing to compare with")
    return manifest(bucket, served) if served else None


def _refuse_worse(new: "Manifest", served: "Manifest | None", tolerance: float, tenant: str) -> None:
    from inference.store.registry import metric_drops

    if served is None:
        return
    if new.data.fingerprint != served.data.fingerprint:
        say("the served model was measured on other data; the metrics are compared nevertheless")
    if drops := metric_drops(new, served, tolerance):
        listed = ", ".join(f"{drop.name} {drop.served:.4f} -> {drop.new:.4f}" for drop in drops)
        raise CommandError(
            f"on its hold-out this model is worse than the one {tenant} serves by more than {tolerance:g}: "
            f"{listed}; publish it nevertheless with --force, or allow more with --tolerance"
        )
