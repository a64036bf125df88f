"""A cluster with Prometheus and Alertmanager, for tests that plant one finding in it."""

from pathlib import Path

from audit import read
from audit.metrics import Metrics
from audit.model.finding import Finding
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy

PROMETHEUS = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: monitoring}
spec:
  serviceMonitorSelector: {}
  serviceMonitorNamespaceSelector: {}
  podMonitorSelector: {}
  podMonitorNamespaceSelector: {}
  probeSelector: {}
  probeNamespaceSelector: {}
  scrapeConfigSelector: {}
  scrapeConfigNamespaceSelector: {}
  ruleSelector: {}
  ruleNamespaceSelector: {}
  # settings
"""
ALERTMANAGER = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {name: main, namespace: monitoring}
spec:
  alertmanagerConfigSelector: {}
  alertmanagerConfigNamespaceSelector: {}
  alertmanagerConfigMatcherStrategy: {type: OnNamespace}
"""
ALERT_CONFIG = """\
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: pager, namespace: shop}
spec:
  receivers: [{name: phone}]
  route: {receiver: phone}
"""
MONITOR = """\
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  endpoints:
    - port: http
      path: /metrics
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8000}]}
"""
INGRESS_FROM_PROMETHEUS = (
    "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}},"
    " podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}], ports: [{port: 8000}]}]}"
)
SAFE = (
    namespace("shop")
    + namespace("monitoring")
    + pod("web", "{app: web}", ports="[{name: http, containerPort: 8000}]")
    + policy("deny", DENY_ALL)
    + policy("scrape", INGRESS_FROM_PROMETHEUS)
    + SERVICE
    + MONITOR
    + PROMETHEUS
    + ALERTMANAGER
    + ALERT_CONFIG
)
PATH = "      path: /metrics\n"
PROBE = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: web, namespace: shop}
spec:
  targets:
    staticConfig: {static: [10.0.0.1]}
"""
SCRAPE_CONFIG = """\
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata: {name: web, namespace: shop}
spec: {kubernetesSDConfigs: [{role: Pod}]}
"""
API_SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: monitoring}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: prometheus}
  ports: [{port: 9090}]
"""
API_ROUTE = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: prometheus, namespace: monitoring}
spec:
  defaultBackend:
    service: {name: prometheus, port: {number: 9090}}
"""
EGRESS_TO_MONITORING = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}"


def metrics(tmp_path: Path, text: str) -> Metrics:
    """The metrics of a cluster, whose manifests are written to all.yaml."""
    file = tmp_path / "all.yaml"
    file.write_text(text)
    return Metrics(read.objects([file], details=True))


def findings(tmp_path: Path, text: str) -> list[tuple[Finding, str]]:
    """The findings, each with the text of its line."""
    lines = text.splitlines()
    plane = metrics(tmp_path, text)
    return [(each, lines[each.line - 1].strip()) for each in plane.findings()]


def found(tmp_path: Path, text: str) -> list[tuple[str, str, str]]:
    """Rule, state and text of the line of each finding."""
    return [(each.rule, str(each.state), line) for each, line in findings(tmp_path, text)]


def endpoint(more: str) -> str:
    """The safe cluster, with more in the endpoint of its monitor."""
    return SAFE.replace(PATH, f"{PATH}      {more}\n")
