"""What the tenants' series cost Prometheus: memory and disk, by a model that `make bench-series` checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.monitoring.scraping import series_per_pod
from constructs_lib.names import SCRAPE_SECONDS
from constructs_lib.platform import AlertSettings, Tenant

LABELS: Final = 10
"""Assumed number of labels of a model: `platform.yaml` does not know it, and each costs one series per pod."""
FEATURES: Final = 30
"""Assumed number of features of an ONNX model with a baseline; each costs three series per pod."""
BASE_BYTES: Final = 256 * 2**20
"""Memory of Prometheus without series, with room for queries."""
BYTES_PER_SERIES: Final = 4096
"""Memory of a series in Prometheus's head: a quarter more than `make bench-series` measured."""
CHURN: Final = 2
"""A rollout replaces every pod, and the head keeps the old pods' series for up to three hours."""
BYTES_PER_SAMPLE: Final = 4.0
"""Disk space of a sample, with its share of the index."""
VOLUME_SHARE: Final = 0.8
"""Part of a volume that samples may fill; the rest is for the write-ahead log and for compaction."""
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, kw_only=True)
class PrometheusLoad:
    """What Prometheus stores of the tenants. Series of kube-state-metrics and the kubelets are not included.

    Args:
        series: series that exist at one time.
        samples_per_second: samples that are added.
        memory: bytes of memory that Prometheus needs for them.
        disk_per_day: bytes of disk space for each day of retention.
    """

    series: int
    samples_per_second: float
    memory: int
    disk_per_day: int


def load_of(tenants: Sequence[Tenant], *, maximum: bool) -> PrometheusLoad:
    """The load of tenants.

    Args:
        tenants: the tenants.
        maximum: whether they run their maximum number of pods, and the surge of a rollout; else their minimum.
    """
    scraped = 0
    for tenant in tenants:
        scaling = tenant.autoscaling
        pods = scaling.max_replicas + tenant.rollout.surge if maximum else scaling.min_replicas
        scraped += pods * series_per_pod(LABELS, runtime=tenant.runtime, features=FEATURES)
    recorded, recorded_per_second = recorded_series()
    series = scraped + recorded * len(tenants)
    samples = scraped / SCRAPE_SECONDS + recorded_per_second * len(tenants)
    return PrometheusLoad(
        series=series,
        samples_per_second=samples,
        memory=BASE_BYTES + CHURN * BYTES_PER_SERIES * series,
        disk_per_day=round(samples * BYTES_PER_SAMPLE * DAY_SECONDS),
    )


@cache
def recorded_series() -> tuple[int, float]:
    """The number of series that a tenant's rules record, and their samples per second; the same for every tenant."""
    groups = rule_groups("tenant", "service", "deployment", "hpa", AlertSettings())
    recorded = [(group["interval"], sum("record" in rule for rule in group["rules"])) for group in groups]
    rate = sum(count / (60 * int(interval.removesuffix("m"))) for interval, count in recorded)
    return sum(count for _, count in recorded), rate
