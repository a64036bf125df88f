"""What `tenantry plan` reports of the tenants of one cluster, as a table and as data."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from rich.console import Console
from rich.table import Table

from constructs_lib.monitoring.load import PrometheusLoad, load_of
from constructs_lib.platform import Platform, PlatformSettings, Tenant
from constructs_lib.platform.capacity import Fit, ResourceList, TenantRequests, fit, requests_of, total
from constructs_lib.platform.cluster import ClusterSettings
from constructs_lib.platform.profiles import derived
from constructs_lib.platform.runtime import memory_beyond
from tenantry.console import result, say

_PIPED_WIDTH = 200
"""Width of the table, in columns, where standard output is not a terminal."""
_MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """The tenants of one cluster, and what they need.

    Attributes:
        platform: The platform with these tenants alone.
        nodes: The nodes that the tenants' pods are distributed to; None if they are not described.
    """

    platform: Platform
    nodes: ClusterSettings | None
    requests: Sequence[TenantRequests]
    fits: Fit | None
    minimum: PrometheusLoad
    maximum: PrometheusLoad

    @classmethod
    def of(cls, platform: Platform, described: ClusterSettings | None) -> Self:
        """Compute the plan; without the size of the nodes, it does not say how many pods fit."""
        requests = [requests_of(tenant) for tenant in platform.tenants]
        nodes = described if described and described.has_size else None
        return cls(
            platform=platform,
            nodes=nodes,
            requests=requests,
            fits=fit(requests, nodes) if nodes else None,
            minimum=load_of(platform.tenants, maximum=False),
            maximum=load_of(platform.tenants, maximum=True),
        )

    @property
    def is_schedulable(self) -> bool:
        """Whether all pods fit at the minimum, as far as the nodes are known."""
        return not (self.fits and self.fits.unschedulable_at_minimum)

    def document(self) -> dict[str, Any]:
        """The plan as data."""
        prometheus = {"minimum": _load(self.minimum), "maximum": _load(self.maximum)}
        profile = _profile(self.platform.platform)
        return _document(self.requests, self.nodes, self.fits) | {"prometheus": prometheus, "profile": profile}

    def show(self) -> None:
        """Print the plan."""
        _show(self.requests, self.nodes, self.fits)
        _show_prometheus(self.minimum, self.maximum)
        _show_profile(_profile(self.platform.platform))
        _show_model_memory(self.platform.tenants)


def _show_model_memory(tenants: Sequence[Tenant]) -> None:
    """Name the tenants whose pods may take more memory with their model than they request."""
    for tenant in tenants:
        requested = tenant.resources.requests.memory
        if tenant.model_memory and (needed := memory_beyond(tenant.model_memory, requested)):
            say(f"{tenant.name}: a pod with its model can take {needed} of memory, and requests {requested}")


def _profile(settings: PlatformSettings) -> dict[str, Any]:
    """The profile of the cluster, what it sets, and what the file sets instead."""
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


def _document(requests: Sequence[TenantRequests], cluster: ClusterSettings | None, fits: Fit | None) -> dict[str, Any]:
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


def _load(load: PrometheusLoad) -> dict[str, float]:
    return {
        "series": load.series,
        "samplesPerSecond": round(load.samples_per_second, 1),
        "memoryBytes": load.memory,
        "diskBytesPerDay": load.disk_per_day,
    }


def _show_prometheus(minimum: PrometheusLoad, maximum: PrometheusLoad) -> None:
    series = _span(minimum.series, maximum.series, "{:,}")
    samples = _span(round(minimum.samples_per_second), round(maximum.samples_per_second), "{:,}")
    memory, disk = (
        _span(_mebibytes(low), _mebibytes(high), "{}Mi")
        for low, high in ((minimum.memory, maximum.memory), (minimum.disk_per_day, maximum.disk_per_day))
    )
    result(f"Prometheus: {series} series, {samples} samples per second, {memory} of memory, {disk} of disk per day")


def _pair(minimum: int, maximum: int) -> dict[str, int]:
    return {"minimum": minimum, "maximum": maximum}


def _amounts(amounts: ResourceList) -> dict[str, int]:
    return {"pods": amounts.pods, "cpuMillicores": amounts.cpu, "memoryBytes": amounts.memory}


def _show(requests: Sequence[TenantRequests], cluster: ClusterSettings | None, fits: Fit | None) -> None:
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
        return
    for state, missing in (("minimum", fits.unschedulable_at_minimum), ("maximum", fits.unschedulable_at_maximum)):
        result(f"{cluster}: {f'{missing} pods are unschedulable' if missing else 'all pods fit'} at the {state}")


def _columns(minimum: ResourceList, maximum: ResourceList) -> tuple[str, str, str]:
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
