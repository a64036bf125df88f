"""The Helm values of kube-prometheus-stack that the objects in `dist/` depend on.

A test checks that `terraform/platform/values/kube-prometheus-stack.yaml` contains them. Imports no jsii.
"""

from typing import Any

from constructs_lib.monitoring.routing import inhibition_rules
from constructs_lib.names import DASHBOARD_LABELS, SCRAPE_INTERVAL


def helm_values() -> dict[str, Any]:
    """The values without which Prometheus, Alertmanager or Grafana would ignore a tenant's objects.

    With `...NilUsesHelmValues: false` the selectors match every object in every namespace, so that a tenant's
    ServiceMonitor, PrometheusRule and AlertmanagerConfig do not need a label of the chart. The values file may hold
    further items in a list.
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
