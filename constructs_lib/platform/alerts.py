"""Objectives and thresholds of a tenant's alerts: the part `alerts` of `platform.yaml`.

Every threshold of every alert is a field of `AlertSettings`, with its unit in the name or the description, and its
only default. Imports no jsii.
"""

from typing import Annotated, Final

from pydantic import Field, HttpUrl, field_validator

from constructs_lib.platform._section import Section, refuse
from inference import contract

RUNBOOK: Final = "https://github.com/vendettaopppp/ml-inference-service/blob/main/docs/runbook.md"
"""Address of `docs/runbook.md` in alerts; a fork sets its own in `defaults.alerts.runbook` of `platform.yaml`."""

Share = Annotated[float, Field(gt=0, lt=1)]
Minutes = Annotated[int, Field(ge=1, le=1440)]


class AlertSettings(Section):
    """Objectives and thresholds of one tenant's alerts."""

    availability_objective: float = Field(default=0.999, ge=0.9, le=0.9999)
    """Share of answered requests that must not be server errors, over 30 days; shed requests do not count."""
    latency_objective: float = Field(default=0.99, ge=0.9, le=0.9999)
    """Share of answered requests that must take at most `latencyThresholdSeconds`, over 30 days."""
    latency_threshold_seconds: float = 0.25
    """Latency threshold in seconds; must be one of the bucket bounds of the service's latency histogram."""
    min_bad_requests: int = Field(default=10, ge=1)
    """Minimum number of failed or slow requests in an alert's long window; with fewer, the alert never fires."""
    shed_ratio: Share = 0.05
    """Share of requests refused with 429, over 5 minutes, that raises a warning after 10 minutes."""
    shed_page_ratio: Share = 0.5
    """Share of requests refused with 429, over 5 minutes, that raises a critical alert after 10 minutes."""
    target_down_minutes: Minutes = 5
    """Minutes without any scrapable pod, or without any metric, before a critical alert."""
    not_ready_minutes: Minutes = 15
    """Minutes that a desired pod may be not ready."""
    unavailable_minutes: Minutes = 5
    """Minutes without any available pod before a critical alert."""
    restarts: int = Field(default=3, ge=1)
    """Restarts of one container within 30 minutes that count as a crash loop."""
    autoscaler_at_maximum_minutes: Minutes = 15
    """Minutes that the autoscaler may stay at its maximum."""
    cpu_throttling_ratio: Share = 0.25
    """Share of CPU periods, over 5 minutes, in which a pod may be throttled; the alert fires after 15 minutes."""
    memory_ratio: Share = 0.9
    """Share of the memory limit that a pod's working set may use; the alert fires after 15 minutes."""
    quota_ratio: Share = 0.9
    """Share of any of the namespace's quotas that may be used; the alert fires after 15 minutes."""
    drift_confidence: Share = 0.15
    """Difference, up or down, between the mean confidence of 6 hours and that of the training hold-out."""
    drift_unknown_words: Share = 0.2
    """Difference, up or down, between the mean share of unknown words of 6 hours and that of the training hold-out."""
    drift_length_factor: float = Field(default=4.0, gt=1)
    """Factor, up or down, between the mean text length of 6 hours and that of the training hold-out."""
    drift_missing_values: Share = 0.1
    """Difference, up or down, between the share of rows of 6 hours in which a feature of an ONNX model is missing and
    that of its training rows."""
    drift_out_of_range: Share = 0.1
    """Share of rows of 6 hours in which a feature of an ONNX model may be outside the range of its training rows."""
    drift_min_predictions: int = Field(default=200, ge=1)
    """Minimum number of predictions in 6 hours; below it, no drift alert fires."""
    digests_differ_minutes: Minutes = 30
    """Minutes that pods of one tenant may serve different models, as during a rollout."""
    runbook: HttpUrl = HttpUrl(RUNBOOK)
    """Address of the runbook that alerts link to; the dashboard links to the one in `defaults`."""

    @field_validator("latency_threshold_seconds")
    @classmethod
    def _is_a_bucket(cls, value: float) -> float:
        if value not in contract.LATENCY_BUCKETS:
            bounds = ", ".join(map(str, contract.LATENCY_BUCKETS))
            refuse("must be a bucket bound of the service's latency histogram", f"choose one of {bounds}")
        return value
