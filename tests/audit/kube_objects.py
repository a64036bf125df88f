"""Kubernetes objects for small clusters in tests, as short as they can be written."""

from typing import Any

from tests.audit.reference import Object


def namespace(name: str, **labels: str) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(
    key: str,
    labels: dict[str, str] | None = None,
    ports: list[Object] | None = None,
    addresses: tuple[str, ...] = (),
    **spec: Any,
) -> Object:
    """A Pod with one container; `key` is "namespace/name"."""
    home, name = key.split("/")
    container: Object = {"name": "main", "image": "busybox:1.35"}
    if ports is not None:
        container["ports"] = ports
    made: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": home, "name": name, "labels": labels or {}},
        "spec": {"containers": [container]} | spec,
    }
    if addresses:
        made["status"] = {"podIP": addresses[0], "podIPs": [{"ip": each} for each in addresses]}
    return made


def deployment_of(made: Object) -> Object:
    """A Deployment of pods like one."""
    metadata, labels = made["metadata"], made["metadata"]["labels"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": metadata["namespace"], "name": metadata["name"]},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": made["spec"]},
        },
    }


def network_policy(key: str, **spec: Any) -> Object:
    """A NetworkPolicy; `key` is "namespace/name", and it selects every pod unless `podSelector` says otherwise."""
    home, name = key.split("/")
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": home, "name": name},
        "spec": {"podSelector": {}} | spec,
    }


def admin_policy(name: str, **spec: Any) -> Object:
    """An AdminNetworkPolicy."""
    return _policy("AdminNetworkPolicy", "v1alpha1", name, spec)


def baseline_policy(**spec: Any) -> Object:
    """The BaselineAdminNetworkPolicy of a cluster."""
    return _policy("BaselineAdminNetworkPolicy", "v1alpha1", "default", spec)


def cluster_policy(name: str, **spec: Any) -> Object:
    """A ClusterNetworkPolicy."""
    return _policy("ClusterNetworkPolicy", "v1alpha2", name, spec)


def _policy(kind: str, version: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": f"policy.networking.k8s.io/{version}",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"subject": {"namespaces": {}}} | spec,
    }
