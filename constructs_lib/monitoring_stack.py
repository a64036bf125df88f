"""What dist/ and kube-prometheus-stack must agree on, said once.

`dist/` takes labels and namespaces from here; `terraform/platform/values/kube-prometheus-stack.yaml` must contain
`helm_values()`, which a test holds it to. Imports no jsii.
"""

from typing import Any, Final

from constructs_lib.alert_routing import inhibition_rules

NAMESPACE: Final = "monitoring"
"""Where the chart is installed, and the only namespace that the dashboards' sidecar reads."""
DASHBOARD_LABELS: Final = {"grafana_dashboard": "1"}
"""Label by which the sidecar finds a ConfigMap with a dashboard."""
PROMETHEUS_POD_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
"""Labels that the operator gives Prometheus's pods: the tenants' NetworkPolicies let these in."""
SCRAPE_INTERVAL: Final = "30s"


def helm_values() -> dict[str, Any]:
    """The part of the chart's values without which a tenant's objects would not be found or obeyed.

    The selectors are empty (everything, everywhere), as `...NilUsesHelmValues: false` makes them: a tenant's
    ServiceMonitor, PrometheusRule and AlertmanagerConfig need no label of the chart's. Lists are parts of longer ones.
    """
    label, value = next(iter(DASHBOARD_LABELS.items()))
    return {
        "prometheus": {
            "prometheusSpec": {
                "scrapeInterval": SCRAPE_INTERVAL,
                "evaluationInterval": SCRAPE_INTERVAL,
                "serviceMonitorSelectorNilUsesHelmValues": False,
                "ruleSelectorNilUsesHelmValues": False,
            }
        },
        "alertmanager": {
            "config": {"inhibit_rules": inhibition_rules()},
            "alertmanagerSpec": {"alertmanagerConfigMatcherStrategy": {"type": "OnNamespace"}},
        },
        "grafana": {
            "sidecar": {
                "dashboards": {"enabled": True, "label": label, "labelValue": value},
                "datasources": {"alertmanager": {"enabled": True}},
            }
        },
    }
