"""`tenantry plan`: what the tenants request, and whether a cluster can hold them."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE, FileOption, Format, FormatOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs_lib.monitoring.load import PrometheusLoad
    from constructs_lib.platform import PlatformSettings, Tenant
    from constructs_lib.platform.capacity import Fit, ResourceList, TenantRequests
    from constructs_lib.platform.cluster import ClusterSettings

_PIPED_WIDTH = 200
"""Width of the table, in columns, where standard output is not a terminal."""
_MEBIBYTE = 2**20


def plan(
    *,
    file: FileOption = PLATFORM_FILE,
    workers: Annotated[int | None, typer.Option(help="Worker nodes, instead of the file's platform.cluster.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of one node, such as 4.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of one node, such as 8Gi.")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show what the tenants request at their minimum and maximum, how many fit, and what Prometheus needs for them.

    Only requests count, pod by pod and node by node, as for the scheduler. The cluster is the one that platform.cluster
    of the file or the options describe; without either, only the requests are shown. The values that the profile of
    the cluster sets are shown, too. The exit code is 1 if pods are unschedulable at the minimum.

    Example: tenantry plan --workers 4 --cpu 4 --memory 8Gi
    """
    from constructs_lib.monitoring.load import load_of
    from constructs_lib.platform import Platform
    from constructs_lib.platform.capacity import fit, requests_of

    platform = Platform.load(file)
    requests = [requests_of(tenant) for tenant in platform.tenants]
    described = _cluster(platform.platform.cluster, {"workers": workers, "cpu": cpu, "memory": memory})
    cluster = described if described and described.has_size else None
    fits = fit(requests, cluster) if cluster else None
    settings = _profile(platform.platform)
    loads = [load_of(platform.tenants, maximum=maximum) for maximum in (False, True)]
    if output is Format.JSON:
        document = _document(requests, cluster, fits) | {"prometheus": _prometheus(*loads), "profile": settings}
        result(json.dumps(document, indent=2))
    else:
        _show(requests, cluster, fits)
        _show_prometheus(*loads)
        _show_profile(settings)
        _show_model_memory(platform.tenants)
    if fits and fits.unschedulable_at_minimum:
        raise typer.Exit(1)


def _show_model_memory(tenants: "Sequence[Tenant]") -> None:
    """Name the tenants whose pods may take more memory with their model than they request."""
    from constructs_lib.platform.runtime import memory_beyond

    for tenant in tenants:
        requested = tenant.resources.requests.memory
        if tenant.model_memory and (needed := memory_beyond(tenant.model_memory, requested)):
            say(f"{tenant.name}: a pod with its model can take {needed} of memory, and requests {requested}")


def _cluster(described: "ClusterSettings | None", given: dict[str, Any]) -> "ClusterSettings | None":
    """The file's cluster, with what the options say instead."""
    from pydantic import ValidationError

    from constructs_lib.platform.cluster import ClusterSettings

    options = {name: value for name, value in given.items() if value is not None}
    if not options:
        return described
    try:
        return ClusterSettings.model_validate({**(described.model_dump() if described else {}), **options})
    except ValidationError as error:
        problem = error.errors()[0]
        missing = problem.get("ctx", {}).get("at", ())
        said = "is required, too" if missing else problem["msg"]
        raise InputError(f"--{(missing or problem['loc'])[0]}: {said}") from error


def _profile(settings: "PlatformSettings") -> dict[str, Any]:
    """The profile of the cluster, what it sets, and what the file sets instead."""
    from constructs_lib.platform.profiles import derived

    name = settings.cluster.profile if settings.cluster else "generic"
    plain = settings.model_dump(mode="json", by_alias=True)
    found = [
        {
            "key": f"platform.{each.section}.{each.key}",
            "value": effective,
            "setBy": "platform.yaml" if is_replaced else "profile",
            "because": each.because,
            "source": each.source,
        }
        for each, effective, is_replaced in derived(name, plain)
    ]
    return {"name": name, "settings": found}


def _show_profile(profile: dict[str, Any]) -> None:
    for each in profile["settings"]:
        value = json.dumps(each["value"])
        result(f"profile {profile['name']}: {each['key']} = {value} ({each['setBy']}; {each['because']})")


def _document(
    requests: "list[TenantRequests]", cluster: "ClusterSettings | None", fits: "Fit | None"
) -> dict[str, Any]:
    from constructs_lib.platform.capacity import total

    tenants = [
        {"tenant": each.tenant, "minimum": _amounts(each.minimum), "maximum": _amounts(each.maximum)}
        | ({"similarTenants": _pair(*fits.similar_tenants[each.tenant])} if fits else {})
        for each in requests
    ]
    together = {
        "minimum": _amounts(total([each.minimum for each in requests])),
        "maximum": _amounts(total([each.maximum for each in requests])),
    }
    described = cluster.model_dump(by_alias=True) if cluster else None
    left_over = _pair(fits.unschedulable_at_minimum, fits.unschedulable_at_maximum) if fits else None
    return {"tenants": tenants, "total": together, "cluster": described, "unschedulablePods": left_over}


def _prometheus(minimum: "PrometheusLoad", maximum: "PrometheusLoad") -> dict[str, Any]:
    def amounts(load: "PrometheusLoad") -> dict[str, float]:
        return {
            "series": load.series,
            "samplesPerSecond": round(load.samples_per_second, 1),
            "memoryBytes": load.memory,
            "diskBytesPerDay": load.disk_per_day,
        }

    return {"minimum": amounts(minimum), "maximum": amounts(maximum)}


def _show_prometheus(minimum: "PrometheusLoad", maximum: "PrometheusLoad") -> None:
    series = _span(minimum.series, maximum.series, "{:,}")
    samples = _span(round(minimum.samples_per_second), round(maximum.samples_per_second), "{:,}")
    memory, disk = (
        _span(_mebibytes(low), _mebibytes(high), "{}Mi")
        for low, high in ((minimum.memory, maximum.memory), (minimum.disk_per_day, maximum.disk_per_day))
    )
    result(f"Prometheus: {series} series, {samples} samples per second, {memory} of memory, {disk} of disk per day")


def _pair(minimum: int, maximum: int) -> dict[str, int]:
    return {"minimum": minimum, "maximum": maximum}


def _amounts(amounts: "ResourceList") -> dict[str, int]:
    return {"pods": amounts.pods, "cpuMillicores": amounts.cpu, "memoryBytes": amounts.memory}


def _show(requests: "list[TenantRequests]", cluster: "ClusterSettings | None", fits: "Fit | None") -> None:
    from constructs_lib.platform.capacity import total

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("tenant", "pods", "CPU", "memory", *(("tenants of this size",) if fits else ())):
        table.add_column(name, justify="left" if name == "tenant" else "right", no_wrap=True)
    for each in requests:
        similar = []
        if fits:
            at_minimum, at_maximum = fits.similar_tenants[each.tenant]
            similar = [_span(at_maximum, at_minimum, "{:,}")]
        table.add_row(each.tenant, *_columns(each.minimum, each.maximum), *similar)
    both = total([each.minimum for each in requests]), total([each.maximum for each in requests])
    table.add_row("total", *_columns(*both), *([""] if fits else []), style="bold")
    Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    if not (cluster and fits):
        say("to see whether a cluster can hold them, give --cpu and --memory, or platform.cluster in the file")
        return
    for state, missing in (("minimum", fits.unschedulable_at_minimum), ("maximum", fits.unschedulable_at_maximum)):
        result(f"{cluster}: {f'{missing} pods are unschedulable' if missing else 'all pods fit'} at the {state}")


def _columns(minimum: "ResourceList", maximum: "ResourceList") -> tuple[str, str, str]:
    return (
        _span(minimum.pods, maximum.pods, "{:,}"),
        _span(minimum.cpu / 1000, maximum.cpu / 1000, "{:.10g}"),
        _span(_mebibytes(minimum.memory), _mebibytes(maximum.memory), "{}Mi"),
    )


def _mebibytes(count: int) -> int:
    """Bytes in mebibytes, rounded up, so that the figure is always enough."""
    return -(-count // _MEBIBYTE)


def _span(low: float, high: float, form: str) -> str:
    """`2 to 11`, or one number when both are the same."""
    return form.format(low) if low == high else f"{form.format(low)} to {form.format(high)}"
