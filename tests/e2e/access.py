"""The access that the suite adds to the tenants of `platform.yaml`: callers whose connections it measures."""

from pathlib import Path
from typing import Any, Final

import yaml

CLIENT_NAMESPACE: Final = "tenantry-e2e-client"
CLIENT_LABELS: Final = {"tenantry.dev/e2e-client": "shop"}
GATEWAY: Final = "e2e"
GATEWAY_NAMESPACE: Final = "tenantry-e2e-gateway"
PROXY_NAMESPACE: Final = "envoy-gateway-system"
"""Envoy Gateway runs the pods of every Gateway beside itself."""
GATEWAY_LABELS: Final = {
    "gateway.envoyproxy.io/owning-gateway-name": GATEWAY,
    "gateway.envoyproxy.io/owning-gateway-namespace": GATEWAY_NAMESPACE,
}
"""Labels that Envoy Gateway gives to the pods of a Gateway."""
DOMAIN: Final = "tenantry.example"


def with_access(file: Path, *, gateway: bool) -> dict[str, Any]:
    """The content of a platform file, with a client in front of every tenant's own clients.

    Args:
        file: the platform file.
        gateway: whether to add a gateway, too; it replaces a gateway of the file.
    """
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    for tenant in content["tenants"]:
        own = tenant.get("clients", [])
        tenant["clients"] = [{"namespace": CLIENT_NAMESPACE, "podLabels": dict(CLIENT_LABELS)}, *own]
        tenant.pop("hostname", None)
    content["platform"].pop("gateway", None)
    if gateway:
        content["platform"]["gateway"] = {
            "name": GATEWAY,
            "namespace": GATEWAY_NAMESPACE,
            "podNamespace": PROXY_NAMESPACE,
            "podLabels": dict(GATEWAY_LABELS),
            "domain": DOMAIN,
        }
    return content


def host_name(tenant: str) -> str:
    """The host name of a tenant, which is the default one."""
    return f"{tenant}.{DOMAIN}"


def write(content: dict[str, Any], file: Path) -> Path:
    """Write a platform file; return its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return file
