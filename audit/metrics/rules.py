"""The rules of this plane: severity, what to change, and the documentation that each follows."""

from dataclasses import dataclass
from typing import Final

from audit.model.finding import Finding, Severity, State
from audit.model.place import Place

_API: Final = "https://prometheus-operator.dev/docs/api-reference/api/"
_SECURITY: Final = "https://prometheus.io/docs/operating/security/"
_RELABELLING: Final = "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        severity: How much a violation matters.
        fix: What to change.
        source: Address of the documentation that it follows.
    """

    severity: Severity
    fix: str
    source: str


RULES: Final = {
    "metrics-other-namespace": Rule(
        Severity.HIGH,
        "Remove namespaceSelector, or set ignoreNamespaceSelectors in the Prometheus.",
        f"{_API}#monitoring.coreos.com/v1.NamespaceSelector",
    ),
    "metrics-any-target": Rule(
        Severity.HIGH,
        "Use a ServiceMonitor or a PodMonitor, whose targets are Services and pods of its namespace.",
        f"{_API}#monitoring.coreos.com/v1.Probe",
    ),
    "metrics-honor-labels": Rule(
        Severity.HIGH,
        "Set honorLabels to false, or overrideHonorLabels or enforcedNamespaceLabel in the Prometheus.",
        f"{_API}#monitoring.coreos.com/v1.Endpoint",
    ),
    "metrics-sets-label": Rule(
        Severity.HIGH,
        "Remove the rule, or set enforcedNamespaceLabel in the Prometheus.",
        _RELABELLING,
    ),
    "metrics-redirects-scrape": Rule(
        Severity.HIGH,
        "Remove it: Prometheus connects from its own namespace, past the policies of the monitor's.",
        _RELABELLING,
    ),
    "metrics-reads-files": Rule(
        Severity.HIGH,
        "Name a Secret of the namespace instead, or set arbitraryFSAccessThroughSMs.deny in the Prometheus.",
        f"{_API}#monitoring.coreos.com/v1.ArbitraryFSAccessThroughSMsConfig",
    ),
    "metrics-query-by-network": Rule(
        Severity.HIGH,
        "Deny the traffic by a NetworkPolicy: the API of Prometheus has no login.",
        _SECURITY,
    ),
    "metrics-query-from-outside": Rule(
        Severity.HIGH,
        "Use a Service of the type ClusterIP without a route, or put a login in front of Prometheus.",
        _SECURITY,
    ),
    "metrics-query-by-permission": Rule(
        Severity.HIGH,
        "Remove the permission: connections through the API server pass every network policy.",
        "https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/",
    ),
    "alerts-of-others": Rule(
        Severity.HIGH,
        "Set alertmanagerConfigMatcherStrategy.type to OnNamespace in the Alertmanager.",
        f"{_API}#monitoring.coreos.com/v1.AlertmanagerConfigMatcherStrategy",
    ),
    "scrape-denied": Rule(
        Severity.MEDIUM,
        "Allow Prometheus's pods to reach the port.",
        "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    ),
    "scrape-not-decided": Rule(
        Severity.LOW,
        "Add to the input what is missing.",
        "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    ),
}
"""By name."""
OPEN_TO_ALL: Final = ("metrics-query-from-outside", "metrics-query-by-permission")
"""Rules whose violations let others read the metrics of every namespace, whichever namespace they are about."""


def found(
    rule: str,
    place: Place | tuple[str, int],
    *,
    namespace: str,
    subject: str,
    message: str,
    state: State = State.VIOLATION,
) -> Finding:
    """A finding of a rule; anything but a violation is one step less severe."""
    about = RULES[rule]
    file, line = place if isinstance(place, tuple) else (place.file, place.line)
    return Finding(
        rule=rule,
        state=state,
        severity=about.severity if state is State.VIOLATION else about.severity.milder(),
        namespace=namespace,
        subject=subject,
        message=message,
        fix=about.fix,
        source=about.source,
        file=file,
        line=line,
    )
