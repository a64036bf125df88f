"""What dist/ and kube-prometheus-stack must agree on, said once.

`dist/` takes labels and namespaces from here; `terraform/platform/values/kube-prometheus-stack.yaml` must contain
`helm_values()`, which a test holds it to. Imports no jsii.
"""

from typing import Any

from constructs_lib.monitoring.routing import inhibition_rules
from constructs_lib.names import DASHBOARD_LABELS, SCRAPE_INTERVAL


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
