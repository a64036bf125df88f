"""What the documentation promises; the report has a row for each promise."""

from collections.abc import Mapping
from typing import Final

PROMISES: Final[Mapping[str, str]] = {
    "nodes": "The cluster has one control plane and four workers",
    "structure": "Every tenant has the same: namespace, account, Role, Deployment, Service, policies, autoscaler",
    "serves": "Two Ready pods per tenant on different nodes; POST /predict through the Service on port 8000 answers",
    "model": "The model is loaded from the object store, by digest, with the tenant's own keys",
    "onnx": "ONNX models: loaded by digest, served beside texts, the original library's answers, the same isolation",
    "store": "MinIO's API on 9000 with buckets models, datasets, artifacts; no access to its console on 9001",
    "network": "Network: ingress from the namespace and Prometheus, egress to DNS, store and public addresses on 443",
    "gateway": "Through a real gateway, by host name and over TLS: each tenant's listed paths and nothing else",
    "keys": "API keys: without a valid one nobody is answered; keys change without a restart; only digests are stored",
    "bypass": "No bypass: labels of another tenant, Services that lead to it, host network, additional policies",
    "reachability": "What the audit says of random policies is what the cluster does, pair by pair",
    "first-seconds": "A new pod is closed to other namespaces from its first moment",
    "rbac": "The tenant's account may get and list pods, services and configmaps of its own namespace, nothing else",
    "benchmarks": "Every tenant meets the Multi-Tenancy Benchmarks, and the audit says so from YAML",
    "monitors": "What the audit says of monitors is what the Prometheus Operator configures",
    "members": "Members of a tenant may read its namespace: no Secrets, no exec; port-forward only where it is allowed",
    "guard": "With platform.guard, the API server refuses what would widen a tenant's access, and nothing harmless",
    "containers": "Containers: UID 1000, read-only root, no capabilities, no token; other pods are refused",
    "fairness": "500m CPU, 512Mi memory, 256Mi disk space per pod, a quota per tenant: no tenant starves another",
    "autoscaling": "The autoscaler scales from 2 to at most 10 pods at 50 % CPU, by metrics-server's figures",
    "rollouts": "New image, new model, moved and deleted pods: no failed requests",
    "scrape": "Prometheus finds every pod through ServiceMonitors and scrapes /metrics every 30 s",
    "alerts": "PrometheusRules are loaded; an alert reaches its receiver through Alertmanager; a silence stops it",
    "dashboard": "Every query of the eight panels returns data",
    "grafana": "Grafana on NodePort 30080",
    "audit": "All access to the API is logged, level Metadata",
    "tenants": "`make apply` adds and removes tenants and changes nothing else",
    "documentation": "Printed lines of the runbook and the operations guides that call kubectl or curl work as printed",
    "delivery": "Push, build, scan, push to Docker Hub: GitHub Actions",
}
