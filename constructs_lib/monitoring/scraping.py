"""Which of the service's series Prometheus keeps: those that rules and panels read, and how many that is.

A pod shows more at `/metrics`, for debugging a single pod. Each series that Prometheus keeps costs memory, times the
number of pods of all tenants.
"""

import re
from dataclasses import dataclass
from typing import Final

from constructs_lib.monitoring.promql import bound
from constructs_lib.platform.runtime import Runtime
from inference import contract

TARGET_SERIES: Final = 5
"""Series that Prometheus itself adds per target: `up` and four about the scrape."""


@dataclass(frozen=True)
class Dropped:
    """Series that Prometheus does not keep: those whose label values, joined by `;`, match a regular expression."""

    labels: tuple[str, ...]
    regex: str

    def matches(self, series: dict[str, str]) -> bool:
        """Whether a series, given by its labels and `__name__`, is dropped; Prometheus matches whole values."""
        return re.fullmatch(self.regex, ";".join(series.get(name, "") for name in self.labels)) is not None


def _any(*values: str) -> str:
    return f"({'|'.join(values)})"


_UNREAD_BOUNDS = tuple(
    re.escape(text)
    for text in (*(bound(each) for each in contract.RATIO_BUCKETS if each != contract.LOW_CONFIDENCE), "+Inf")
)
DROPPED: Final = (
    # Rules and panels read only the means of these.
    Dropped(("__name__",), f"{_any(contract.PHASE_DURATION, contract.UNKNOWN_WORDS, contract.TEXT_LENGTH)}_bucket"),
    # Probes, scrapes and unknown paths do not count against an objective. Quantiles and shares need no sum.
    Dropped(("__name__", "route"), f"{contract.REQUEST_DURATION}_.+;other"),
    Dropped(("__name__",), f"{contract.REQUEST_DURATION}_sum"),
    Dropped(("__name__", "le"), f"{contract.CONFIDENCE}_bucket;{_any(*_UNREAD_BOUNDS)}"),
    # cAdvisor reports CPU and memory of the container; readiness is that of the pod.
    Dropped(("__name__",), _any("process_.+", contract.READY)),
)
"""What Prometheus drops."""
READ_BY_HAND: Final = {
    contract.API_KEY_CALLERS: "shows whether a key is required, and for how many callers",
    contract.API_KEYS_VALID: "shows that pods refused a change of the keys",
    contract.CALLER_REQUESTS: "`tenantry usage` reads it",
    contract.CALLER_TEXTS: "`tenantry usage` reads it",
    contract.CALLER_SECONDS: "`tenantry usage` reads it",
    contract.CALLER_REJECTED: "`tenantry usage` reads it",
}
"""Metrics that no rule, panel or runbook section reads and that are kept nevertheless, with the reason."""
_CALLER_METRICS: Final = frozenset(
    {contract.CALLER_REQUESTS, contract.CALLER_TEXTS, contract.CALLER_SECONDS, contract.CALLER_REJECTED}
)


def series_per_pod(labels: int, *, runtime: Runtime = "text", features: int = 0, callers: int = 0) -> int:
    """How many series Prometheus keeps of one pod. All other label values are fixed by the service.

    Args:
        labels: number of labels of the model, which is a classifier.
        runtime: what runs the model.
        features: number of features with a baseline; only an ONNX model has them.
        callers: number of callers that have an API key; 0: no key is required.
    """
    histogram = len(contract.LATENCY_BUCKETS) + 2  # with +Inf and count
    requests = len(contract.ROUTES) * len(contract.OUTCOMES) + (len(contract.ROUTES) - 1) * histogram
    phases = 2 * len(contract.PHASES)
    load = 2 + len(contract.SHED_REASONS)
    confidence = 3
    inputs = len(contract.FEATURE_METRICS) * features if runtime == "onnx" else 2 + 2 + len(contract.SIGNALS)
    # There is one more caller than keys, `anonymous` or `unknown`, with one series per metric. A caller with a key has
    # one more, because its requests can be refused for two reasons.
    usage = len(_CALLER_METRICS) + (len(_CALLER_METRICS) + 1) * callers
    infos = 2 + len(READ_BY_HAND.keys() - _CALLER_METRICS)
    return requests + phases + load + labels + confidence + inputs + usage + infos + TARGET_SERIES
