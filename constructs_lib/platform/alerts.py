"""What a tenant is alerted about, and from which value on: the part `alerts` of platform.yaml.

Every threshold of every alert is a field here, with its unit in its name or its text, and its default is stated here
and nowhere else. Imports no jsii, so that rules, their tests and the runbook read it in milliseconds.
"""

from typing import Annotated, Final

from pydantic import Field, HttpUrl, field_validator

from constructs_lib.platform._section import Section, refuse
from inference import contract

RUNBOOK: Final = "https://github.com/vendettaopppp/ml-inference-service/blob/main/docs/runbook.md"
"""Where `docs/runbook.md` is read from an alert; a fork says its own in platform.yaml, `defaults.alerts.runbook`."""

Share = Annotated[float, Field(gt=0, lt=1)]
Minutes = Annotated[int, Field(ge=1, le=1440)]


class AlertSettings(Section):
    """Objectives and thresholds of one tenant's alerts; each may be set in platform.yaml."""

    availability_objective: float = Field(default=0.999, ge=0.9, le=0.9999)
    """Share of answered requests (shed ones apart) that must not be server errors, over 30 days."""
    latency_objective: float = Field(default=0.99, ge=0.9, le=0.9999)
    """Share of answered requests that must take at most `latency_threshold_seconds`, over 30 days."""
    latency_threshold_seconds: float = 0.25
    """Seconds; one of the service's histogram bounds, since a share between two bounds cannot be counted."""
    min_bad_requests: int = Field(default=10, ge=1)
    """Fewer failed (or slow) requests than this in an alert's long window never fire it: the guard of low traffic."""
    shed_ratio: Share = 0.05
    """Share of requests refused with 429, over 5 minutes, that a tenant may bear for 10 minutes."""
    shed_page_ratio: Share = 0.5
    """Share of requests refused with 429, over 5 minutes, that pages after 10 minutes."""
    target_down_minutes: Minutes = 5
    """Minutes without one scrapable pod (or without any metric) before somebody is paged."""
    not_ready_minutes: Minutes = 15
    """Minutes that a wanted pod may be not ready."""
    unavailable_minutes: Minutes = 5
    """Minutes without one available pod before somebody is paged."""
    restarts: int = Field(default=3, ge=1)
    """Restarts of one pod's container within 30 minutes that count as a crash loop."""
    autoscaler_at_maximum_minutes: Minutes = 15
    """Minutes that the autoscaler may stay at its maximum."""
    cpu_throttling_ratio: Share = 0.25
    """Share of CPU periods, over 5 minutes, in which a pod may be throttled for 15 minutes."""
    memory_ratio: Share = 0.9
    """Share of the memory limit that a pod's working set may reach for 15 minutes."""
    quota_ratio: Share = 0.9
    """Share of any of the namespace's quotas that may be used for 15 minutes."""
    drift_confidence: Share = 0.15
    """Distance of the mean confidence of 6 hours from the training hold-out's, up or down."""
    drift_unknown_words: Share = 0.2
    """Distance of the mean share of unknown words of 6 hours from the training hold-out's, up or down."""
    drift_length_factor: float = Field(default=4.0, gt=1)
    """Factor between the mean length of 6 hours' texts and the training hold-out's, up or down."""
    drift_min_predictions: int = Field(default=200, ge=1)
    """Fewer predictions than this in 6 hours say nothing about drift."""
    digests_differ_minutes: Minutes = 30
    """Minutes that pods of one tenant may serve different models: a rollout that takes longer is stuck."""
    runbook: HttpUrl = HttpUrl(RUNBOOK)
    """Address of the runbook that alerts link to, and the dashboard by `defaults`: a fork sets its own there, once."""

    @field_validator("latency_threshold_seconds")
    @classmethod
    def _is_a_bucket(cls, value: float) -> float:
        if value not in contract.LATENCY_BUCKETS:
            bounds = ", ".join(map(str, contract.LATENCY_BUCKETS))
            refuse("is a bound of the service's latency histogram", f"choose one of {bounds}")
        return value
