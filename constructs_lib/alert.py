"""An alert that a user of `MonitoredInference` adds to those of the platform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from constructs_lib.errors import PropsError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_LABELS: Final = frozenset({"alertname", "namespace", "severity", "tenant"})


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alerting rule of Prometheus.

    Args:
        name: value of the label `alertname`, in letters, digits and underscores.
        expression: the PromQL expression; the alert is active for every series that it returns.
        summary: what is wrong, in one sentence.
        description: details; may use Prometheus' template variables, such as `{{ $value }}`.
        severity: value of the label `severity`, which the alert routes use. Default: warning.
        for_minutes: minutes that the expression must hold before the alert fires. Default: 5.
        labels: additional labels. Default: none.
        runbook_url: address of instructions for the alert. Default: none.
    """

    name: str
    expression: str
    summary: str
    description: str
    severity: Literal["critical", "warning", "info"] = "warning"
    for_minutes: int = 5
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook_url: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PropsError(
                f"'name' ('{self.name}') must consist of letters, digits and underscores; rename the alert"
            )
        for prop in ("expression", "summary", "description"):
            if not getattr(self, prop).strip():
                raise PropsError(f"'{prop}' ('') must not be empty; add the alert's {prop}")
        if self.for_minutes < 0:
            raise PropsError(f"'for_minutes' ({self.for_minutes}) must be at least 0; raise it")
        if reserved := sorted(_RESERVED_LABELS & self.labels.keys()):
            raise PropsError(f"'labels' ({', '.join(reserved)}) must not set labels of the platform; remove them")

    def _to_rule(self, tenant: str) -> dict[str, Any]:
        """The rule, with the labels by which a tenant's alerts are routed and silenced."""
        annotations = {"summary": self.summary, "description": self.description}
        if self.runbook_url:
            annotations["runbook_url"] = self.runbook_url
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": f"{self.for_minutes}m",
            "labels": {**self.labels, "namespace": tenant, "severity": self.severity, "tenant": tenant},
            "annotations": annotations,
        }
