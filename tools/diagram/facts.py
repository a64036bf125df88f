"""The content of the picture, read from `dist/` and `terraform/`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import audit
from tools.diagram.sources import documents, locals_of, resource_name, variable_defaults

CLIENT_ADDRESS = "1.1.1.1"
"""Stands for any public address."""
PRIVATE_ADDRESS = "10.96.0.1"
"""Stands for the cluster's own addresses: its API server's Service."""


@dataclass(frozen=True, kw_only=True)
class DrawnTenant:
    """A tenant, read from its file in `dist/`."""

    name: str
    model: str
    service: str
    port: int
    pods: tuple[int, int]
    cpu_percent: int
    limits: tuple[str, str]
    account: str
    rights: str
    secret: str
    metrics_path: str
    metrics_interval: str
    alerts: int
    isolation: str
    container: str


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The whole platform.

    `buckets` are names and what a tenant may do there. `open` holds the connections that the policies let through, as
    (from, to): names of tenants, and `prometheus`, `other` (another pod of the monitoring namespace), `store`,
    `console`, `dns`, `world`, `private`.
    """

    tenants: tuple[DrawnTenant, ...]
    image: str
    monitoring: str
    panels: int
    grafana_port: int
    workers: int
    store_namespace: str
    store_service: str
    store_port: int
    console_service: str
    console_port: int
    buckets: tuple[tuple[str, str], ...]
    metrics_namespace: str
    metrics_interval: str
    dns_namespace: str
    open: frozenset[tuple[str, str]]


def read(dist: Path, terraform: Path) -> Architecture:
    """Read both folders.

    Raises:
        KeyError, ValueError, OSError: a file is not as the constructs and the roots write it.
    """
    files = [list(documents(file)) for file in sorted(dist.glob("*.yaml"))]
    objects = [document for file in files for document in file]
    tenants = tuple(_tenant(file) for file in files if any(each["kind"] == "Deployment" for each in file))
    platform = terraform / "platform"
    store = next(each for each in objects if _is(each, "NetworkPolicy", "allow-model-store"))["spec"]["egress"][0]
    dashboard = next(each for each in objects if each["kind"] == "ConfigMap")
    endpoint = re.fullmatch(r"https?://([\w-]+)\.[\w.-]+:(\d+)", _environment(objects)["AWS_ENDPOINT_URL"])
    if endpoint is None:
        raise ValueError("the model store's endpoint is not http://<service>.<namespace>.svc:<port>")
    console_port = int(locals_of(platform / "object-store.tf")["console_port"])
    values = next(documents(platform / "values" / "kube-prometheus-stack.yaml"))
    arguments = next(documents(platform / "values" / "metrics-server.yaml"))["defaultArgs"]
    return Architecture(
        tenants=tenants,
        image=re.split(r"[:@]", _container(objects)["image"])[0],
        monitoring=dashboard["metadata"]["namespace"],
        panels=_panels(dashboard),
        grafana_port=values["grafana"]["service"]["nodePort"],
        workers=int(variable_defaults(terraform / "cluster" / "variables.tf")["workers"]),
        store_namespace=_namespace(store["to"][0]),
        store_service=endpoint[1],
        store_port=int(endpoint[2]),
        console_service=resource_name(platform / "object-store.tf", "kubernetes_service_v1", "console"),
        console_port=console_port,
        buckets=_buckets(platform / "modules" / "store-access"),
        metrics_namespace=resource_name(platform / "monitoring.tf", "kubernetes_namespace_v1", "metrics_server"),
        metrics_interval=next(each for each in arguments if "resolution" in each).partition("=")[2],
        dns_namespace=_dns(objects),
        open=_open(objects, list(documents(platform / "manifests" / "minio-network-policy.yaml")), console_port),
    )


def _open(objects: list[dict[str, Any]], store_policies: list[dict[str, Any]], console_port: int) -> Any:
    """The connections that the policies allow, as the audit decides them."""
    policies = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "NetworkPolicy"}
    prometheus = policies["allow-prometheus"]["ingress"][0]["from"][0]
    store = policies["allow-model-store"]["egress"][0]
    inference = {
        each["metadata"]["namespace"]: (
            f"{each['metadata']['namespace']}/{each['metadata']['name']}",
            each["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"],
            "TCP",
        )
        for each in objects
        if each["kind"] == "Deployment"
    }
    targets: dict[str, tuple[str, int, str]] = {
        **inference,
        "store": (_pod(store["to"][0]), store["ports"][0]["port"], "TCP"),
        "console": (_pod(store["to"][0]), console_port, "TCP"),
        "dns": (_pod(policies["allow-dns"]["egress"][0]["to"][0]), 53, "UDP"),
        "world": (CLIENT_ADDRESS, 443, "TCP"),
        "private": (PRIVATE_ADDRESS, 443, "TCP"),
    }
    sources = {"prometheus": _pod(prometheus), "other": f"{_namespace(prometheus)}/[]"}
    cluster = audit.read.objects([*objects, *store_policies], assumptions=audit.Assumptions(ip_blocks_cover_pods=False))

    def allowed(source: str, target: tuple[str, int, str]) -> bool:
        return cluster.verdict(source, *target).verdict is audit.Verdict.ALLOWED

    found = {(name, to) for name, (pod, *_) in inference.items() for to, at in targets.items() if allowed(pod, at)}
    found |= {(name, to) for name, pod in sources.items() for to, at in inference.items() if allowed(pod, at)}
    return frozenset(found)


def _tenant(objects: list[dict[str, Any]]) -> DrawnTenant:
    kinds = {each["kind"]: each for each in objects}
    service, scaler, role = kinds["Service"], kinds["HorizontalPodAutoscaler"]["spec"], kinds["Role"]
    endpoint = kinds["ServiceMonitor"]["spec"]["endpoints"][0]
    container, spec = _container(objects), kinds["Deployment"]["spec"]["template"]["spec"]
    limits = container["resources"]["limits"]
    secrets = {each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"] if "valueFrom" in each}
    return DrawnTenant(
        name=kinds["Namespace"]["metadata"]["name"],
        model=_environment(objects)["INFERENCE_MODEL_URI"].partition("@")[0],
        service=service["metadata"]["name"],
        port=service["spec"]["ports"][0]["port"],
        pods=(scaler["minReplicas"], scaler["maxReplicas"]),
        cpu_percent=scaler["metrics"][0]["containerResource"]["target"]["averageUtilization"],
        limits=(limits["cpu"], limits["memory"]),
        account=kinds["ServiceAccount"]["metadata"]["name"],
        rights=", ".join(sorted({verb for rule in role["rules"] for verb in rule["verbs"]})),
        secret=", ".join(sorted(secrets)),
        metrics_path=endpoint["path"],
        metrics_interval=endpoint["interval"],
        alerts=sum("alert" in rule for group in kinds["PrometheusRule"]["spec"]["groups"] for rule in group["rules"]),
        isolation=_isolation(objects),
        container=_container_words(spec, container),
    )


def _isolation(objects: list[dict[str, Any]]) -> str:
    """How the namespace is isolated, in words."""
    labels = next(each for each in objects if each["kind"] == "Namespace")["metadata"]["labels"]
    denied = any(
        _is(each, "NetworkPolicy", "default-deny") and set(each["spec"]) == {"podSelector", "policyTypes"}
        for each in objects
    )
    level = labels.get("pod-security.kubernetes.io/enforce")
    clients = [
        _namespace(peer)
        for each in objects
        if _is(each, "NetworkPolicy", "allow-clients")
        for peer in each["spec"]["ingress"][0]["from"]
    ]
    return ", ".join(
        [
            *(["default deny"] if denied else []),
            *([f"Pod Security {level}"] if level else []),
            *([f"clients in {' and '.join(dict.fromkeys(clients))}"] if clients else []),
            *(["gateway"] if any(_is(each, "NetworkPolicy", "allow-gateway") for each in objects) else []),
        ]
    )


def _container_words(pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """The user and the restrictions of the container, in words."""
    security = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    return ", ".join(
        [
            f"user {security['runAsUser']}",
            *(["read-only root"] if security.get("readOnlyRootFilesystem") else []),
            *(["no capabilities"] if security.get("capabilities", {}).get("drop") == ["ALL"] else []),
        ]
    )


def _buckets(module: Path) -> tuple[tuple[str, str], ...]:
    """The buckets, and what the tenants' policy allows there."""
    names = variable_defaults(module / "variables.tf")
    text = (module / "main.tf").read_text(encoding="utf-8").partition("publisher_policy = {")[0]
    statement = r'Action\s*= \["s3:(\w+)"\]\s*Resource\s*= \["arn:aws:s3:::\$\{var\.(\w+)\}/\$\{tenant\}/\*"\]'
    rights = {variable: action for action, variable in re.findall(statement, text)}
    words = {"GetObject": "tenants read", "PutObject": "tenants write", None: "not for tenants"}
    return tuple(
        (names[kind], words[rights.get(kind)]) for kind in ("models_bucket", "datasets_bucket", "artifacts_bucket")
    )


def _is(document: Mapping[str, Any], kind: str, name: str) -> bool:
    return bool(document["kind"] == kind and document["metadata"]["name"] == name)


def _container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    deployment = next(each for each in objects if each["kind"] == "Deployment")
    container: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return container


def _environment(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in _container(objects)["env"]}


def _panels(dashboard: Mapping[str, Any]) -> int:
    (text,) = dashboard["data"].values()
    return sum(panel["type"] != "row" for panel in json.loads(text)["panels"])


def _pod(peer: Mapping[str, Any]) -> str:
    """A pod that a peer selects, as the audit refers to it."""
    labels = ",".join(f"{each['key']}={each['values'][0]}" for each in peer["podSelector"]["matchExpressions"])
    return f"{_namespace(peer)}/[{labels}]"


def _namespace(peer: Mapping[str, Any]) -> str:
    return str(peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])


def _dns(objects: list[dict[str, Any]]) -> str:
    policy = next(each for each in objects if _is(each, "NetworkPolicy", "allow-dns"))
    return _namespace(policy["spec"]["egress"][0]["to"][0])
