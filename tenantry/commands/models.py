"""`tenantry models`: what is published, who serves it, and how good it is."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE, EndpointOption, FileOption, Format, FormatOption, PortForwardOption

if TYPE_CHECKING:
    from constructs_lib.platform import Tenant
    from inference.store.bucket import StoreSettings


_PIPED_WIDTH = 200
"""Columns where there is no terminal that would say."""


def models(
    tenant: Annotated[list[str] | None, typer.Argument(help="Only these tenants.")] = None,
    *,
    file: FileOption = PLATFORM_FILE,
    endpoint: EndpointOption = None,
    port_forward: PortForwardOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """List the published models, newest first, with the tenants that serve them and their hold-out metrics.

    A tenant of platform.yaml serves a version by a pin, or because it is the newest and the tenant is not pinned (its
    pods take it up at their next start).

    Example: tenantry models tenant-a --port-forward
    """
    from constructs_lib.platform import Platform
    from tenantry.cluster.store_access import reach
    from tenantry.console import result, say

    tenants = Platform.load(file).tenants
    unknown = sorted(set(tenant or ()) - {each.name for each in tenants})
    if unknown:
        raise InputError(f"{file} has no tenant '{unknown[0]}'; it has {', '.join(each.name for each in tenants)}")
    chosen = [each for each in tenants if not tenant or each.name in tenant]
    with reach(file, endpoint, port_forward=port_forward) as settings:
        rows = [row for each in chosen for row in _versions(each, settings)]
    if output is Format.JSON:
        result(json.dumps(rows, indent=2))
    elif not rows:
        say("nothing is published yet; publish a model with `tenantry publish`")
    else:
        width = None if sys.stdout.isatty() else _PIPED_WIDTH
        Console(highlight=False, width=width).print(_table(rows))


def _versions(tenant: "Tenant", settings: "StoreSettings") -> Iterator[dict[str, Any]]:
    """One row a version of each of the tenant's models."""
    from inference.address import ModelUri
    from inference.store.bucket import Bucket
    from inference.store.registry import manifest, models, published

    served = ModelUri.parse(tenant.model)
    if not served.bucket:
        return
    bucket = Bucket.open(served.bucket, settings)
    for address in models(bucket, tenant.name):
        for place, digest in enumerate(published(bucket, address)):
            found = manifest(bucket, address.at(digest))
            metrics = found.metrics
            on_it = address.path == served.path and (digest == served.digest or (not served.digest and place == 0))
            yield {
                "tenant": tenant.name,
                "model": address.name,
                "digest": f"sha256:{digest}",
                "newest": place == 0,
                "served": ("pinned" if served.digest else "newest") if on_it else None,
                "accuracy": metrics and metrics.accuracy,
                "macro_f1": metrics and metrics.macro_f1,
                "expected_calibration_error": metrics and metrics.calibration.expected_error,
                "holdout_rows": metrics.holdout_rows if metrics else 0,
                "data": found.data.fingerprint,
                "bytes": found.weights.bytes,
            }


def _table(rows: list[dict[str, Any]]) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("model", "version", "served"):
        shown.add_column(name, no_wrap=True)
    for name in ("accuracy", "macro F1", "calib. error", "size"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            f"{row['tenant']}/{row['model']}",
            row["digest"].removeprefix("sha256:")[:12],
            {"pinned": "yes, pinned", "newest": "yes, newest"}.get(row["served"], "no"),
            _share(row["accuracy"]),
            _share(row["macro_f1"]),
            _share(row["expected_calibration_error"]),
            f"{row['bytes'] / 1e6:.1f} MB",
            style="bold" if row["served"] else None,
        )
    return shown


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
