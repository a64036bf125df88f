"""The isolation contract of the platform that platform.yaml describes."""

import ipaddress
from typing import Any

from constructs_lib.network import HTTPS
from constructs_lib.platform import Dns, Platform, Tenant
from constructs_lib.special_purpose_addresses import not_public
from inference import contract as service

_MEMBERS_READ = "reads-logs"
_MEMBERS_FORWARD = "connects-to-pods"


def contract_of(platform: Platform) -> dict[str, Any]:
    """What is meant to be possible, as plain data of an IsolationContract; dist/ has no part in it."""
    settings = platform.platform
    port = f"TCP/{service.PORT}"
    prometheus = _pods(settings.monitoring.namespace, settings.monitoring.prometheus_labels)
    egress = _dns(settings.dns)
    store = settings.model_store
    if store.namespace:
        egress.append({"peer": _pods(store.namespace, store.pod_labels), "ports": [f"TCP/{store.port}"]})
    more = [ipaddress.ip_network(each) for each in settings.network.excluded]
    for cidr in ("0.0.0.0/0", "::/0"):
        version = ipaddress.ip_network(cidr).version
        excepted = [*not_public(version), *(str(each) for each in more if each.version == version)]
        egress.append({"peer": {"cidr": cidr, "exceptCidrs": excepted}, "ports": [f"TCP/{HTTPS}"]})
    return {
        "apiVersion": "tenantry.dev/v1alpha1",
        "kind": "IsolationContract",
        "metadata": {"name": "platform"},
        "spec": {
            "tenants": [_tenant(each, platform, port) for each in platform.tenants],
            "ingress": [{"peer": prometheus, "ports": [port]}],
            "egress": egress,
            "podSecurity": "restricted",
            "quota": True,
        },
    }


def _tenant(tenant: Tenant, platform: Platform, port: str) -> dict[str, Any]:
    ingress = [{"peer": _pods(each.namespace, each.pod_labels), "ports": [port]} for each in tenant.clients]
    gateway = platform.platform.gateway
    if gateway and tenant.hostname:
        ingress.append({"peer": _pods(gateway.pods_in, gateway.pod_labels), "ports": [port]})
    egress = [{"peer": {"cidr": each.cidr}, "ports": [f"{each.protocol}/{each.port}"]} for each in tenant.egress]
    egress += [{"peer": {"namespace": each}, "ports": [port]} for each in tenant.shared_with]
    found: dict[str, Any] = {"name": tenant.name, "ingress": ingress, "egress": egress}
    if tenant.members:
        consequences = [_MEMBERS_READ, *([_MEMBERS_FORWARD] if tenant.members.port_forward else [])]
        subjects = [("Group", each) for each in tenant.members.groups] + [
            ("User", each) for each in tenant.members.users
        ]
        found["holders"] = [{"kind": kind, "name": name, "consequences": consequences} for kind, name in subjects]
    if gateway and tenant.hostname:
        found["routes"] = True
    return {key: value for key, value in found.items() if value}


def _dns(dns: Dns) -> list[dict[str, Any]]:
    """The cluster's DNS servers, and the addresses and pods of a node-local cache."""
    labels = [dns.pod_labels, *([dns.cache_pod_labels] if dns.cache_pod_labels else [])]
    peers = [*(_pods(dns.namespace, each) for each in labels), *({"cidr": each} for each in dns.addresses)]
    return [{"peer": each, "ports": [f"UDP/{dns.port}", f"TCP/{dns.port}"]} for each in peers]


def _pods(namespace: str, labels: Any) -> dict[str, Any]:
    return {"namespace": namespace, "podLabels": dict(labels)} if labels else {"namespace": namespace}
