"""The state of every alerting rule of a local Prometheus."""

from dataclasses import dataclass

from tenantry.local.stack import Stack


@dataclass(frozen=True, kw_only=True, order=True)
class Alert:
    """One alerting rule and its state."""

    tenant: str
    name: str
    severity: str
    detail: str
    """Distinguishes rules of one name: the long window, or the signal."""
    state: str
    """`inactive`, `pending` or `firing`; `unknown` before its first evaluation."""
    description: str
    """With the measured value and the threshold, while it is pending or firing; else empty."""


def alerts(stack: Stack) -> list[Alert]:
    """The current state of every alerting rule, in a fixed order."""
    return sorted(
        Alert(
            tenant=rule["labels"]["tenant"],
            name=rule["name"],
            severity=rule["labels"]["severity"],
            detail=rule["labels"].get("long") or rule["labels"].get("signal") or "",
            state="unknown" if rule["health"] == "unknown" else rule["state"],
            description=rule["alerts"][0]["annotations"]["description"] if rule["alerts"] else "",
        )
        for rule in stack.rules()
        if rule["type"] == "alerting"
    )
