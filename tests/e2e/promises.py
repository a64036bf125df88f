"""What the documentation promises; the report has a row for each promise."""

from collections.abc import Mapping
from typing import Final

PROMISES: Final[Mapping[str, str]] = {
    "nodes": "The cluster has one control plane and four workers",
    "structure": "Every tenant has its namespace, account, Role, Deployment, Service, policies and autoscaler",
    "serves": "Each tenant has two Ready pods on different nodes, which answer POST /predict through its Service",
    "model": "The model is loaded from the object store, by digest, with the tenant's own keys",
    "onnx": "ONNX models are loaded by digest, answer as the original library does, and are as isolated as text models",
    "store": "MinIO's API on 9000 has buckets models, datasets, artifacts; tenants do not reach its console on 9001",
    "network": "Network: ingress from the namespace and Prometheus; egress to DNS, store and public addresses on 443",
    "gateway": "A real gateway routes each tenant's listed paths, by host name and over TLS, and nothing else",
    "keys": "Requests without a valid API key are refused; keys change without a restart; only digests are stored",
    "bypass": "Labels of another tenant, Services, host network and additional policies do not bypass the isolation",
    "reachability": "For random policies, the audit's verdict on each pair of pods is what the cluster does",
    "first-seconds": "A new pod cannot be reached from other namespaces from its first moment on",
    "rbac": "The tenant's account may get and list pods, services and configmaps in its own namespace, nothing else",
    "benchmarks": "Every tenant passes the Multi-Tenancy Benchmarks on the cluster, and in the audit of its YAML",
    "monitors": "The audit reads monitors as the Prometheus Operator does",
    "members": "Members of a tenant may read its namespace, except Secrets; no exec; port-forward only if allowed",
    "guard": "With platform.guard, the API server refuses what would widen a tenant's access, and nothing else",
    "containers": "Containers have UID 1000, a read-only root, no capabilities and no token; other pods are refused",
    "fairness": "Pods are limited to 500m CPU, 512Mi memory, 256Mi disk, tenants by quotas: no tenant starves another",
    "autoscaling": "The autoscaler scales from 2 to at most 10 pods at 50 % CPU, measured by metrics-server",
    "rollouts": "No request fails while an image or a model is replaced, or while pods are moved or deleted",
    "scrape": "Prometheus finds every pod through ServiceMonitors and scrapes /metrics every 30 s",
    "alerts": "PrometheusRules are loaded; an alert reaches its receiver through Alertmanager; a silence stops it",
    "dashboard": "Every query of the eight panels returns data",
    "grafana": "Grafana answers on NodePort 30080",
    "audit": "All access to the API is logged, at level Metadata",
    "tenants": "`make apply` adds and removes tenants and changes nothing else",
    "documentation": "Commands with kubectl or curl in the runbook and the operations guides work as printed",
    "delivery": "GitHub Actions builds, scans and pushes the image to Docker Hub after a push",
}
