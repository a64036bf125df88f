"""What docs and design promise, row by row: the report has a line for each, asked or not."""

from collections.abc import Mapping
from typing import Final

PROMISES: Final[Mapping[str, str]] = {
    "nodes": "The cluster has one control plane and four workers",
    "structure": "Every tenant has the same: namespace, account, Role, Deployment, Service, policies, autoscaler",
    "serves": "Two pods a tenant, Ready, spread over nodes; POST /predict through the Service on port 8000 answers",
    "model": "The model comes from the object store, by digest, with the tenant's own keys",
    "store": "MinIO's API on 9000 with buckets models, datasets, artifacts; its console on 9001 open to nobody",
    "walls": "Network: in from the same namespace and Prometheus, out to DNS, the store and public addresses on 443",
    "ways-round": "No way round the walls: foreign labels, borrowed Services, host network, a policy of one's own",
    "first-seconds": "The first two seconds of a pod: closed to others from the start",
    "rbac": "The tenant's account may get and list pods, services and configmaps of its own namespace, nothing else",
    "containers": "Containers: UID 1000, read-only root, no capabilities, no token; what breaks this is refused",
    "fairness": "500m CPU and 512Mi memory a pod, a quota a tenant: none starves another",
    "autoscaling": "The autoscaler goes from 2 to at most 10 pods at 50 % CPU, on metrics-server's figures",
    "rollouts": "New image, new model, moved and deleted pods: not one failed request",
    "scrape": "Prometheus finds every pod through ServiceMonitors and scrapes /metrics every 30 s",
    "alerts": "PrometheusRules are loaded; an alert reaches its receiver through Alertmanager; a silence stops it",
    "dashboard": "Every query of the eight panels returns data",
    "grafana": "Grafana on NodePort 30080",
    "audit": "All access to the API is logged, level Metadata",
    "tenants": "Tenants come and go with `make apply`; nothing else is ever touched",
    "delivery": "Push, build, scan, push to Docker Hub: GitHub Actions",
}
