"""Warnings about a valid `platform.yaml`, with those that need the rules; every way to synthesize prints them."""

import math
from collections.abc import Iterator

from constructs_lib.monitoring.load import VOLUME_SHARE, PrometheusLoad, load_of
from constructs_lib.platform import Platform, Prometheus
from constructs_lib.platform._quantities import byte_count, memory_text
from constructs_lib.platform.checks import warnings as platform_warnings


def warnings(platform: Platform) -> tuple[str, ...]:
    """The warnings about a platform, one line each."""
    parts = platform.parts().items()
    return tuple(f"cluster {name}: {each}" if name else each for name, part in parts for each in _of_a_cluster(part))


def _of_a_cluster(platform: Platform) -> Iterator[str]:
    yield from platform_warnings(platform)
    yield from (f"{each}; see 'tenantry plan'" for each in prometheus_problems(platform))


def prometheus_problems(platform: Platform) -> Iterator[str]:
    """What the Prometheus of a cluster lacks to hold the tenants' series at their maximum, if the file describes it."""
    if described := platform.platform.monitoring.prometheus:
        yield from _prometheus(described, load_of(platform.tenants, maximum=True))


def _prometheus(described: Prometheus, load: PrometheusLoad) -> Iterator[str]:
    disk = math.ceil(load.disk_per_day * described.retention_days / VOLUME_SHARE)
    for name, given, needed in (("memory", described.memory, load.memory), ("storage", described.storage, disk)):
        if byte_count(given) < needed:
            yield (
                f"Prometheus needs {_mebibytes(needed)} of {name} for the {load.series:,} series of the tenants at "
                f"their maximum, but platform.monitoring.prometheus.{name} is {given}: raise it"
            )


def _mebibytes(count: int) -> str:
    """A number of bytes, rounded up to mebibytes."""
    return memory_text(-(-count // 2**20) * 2**20)
