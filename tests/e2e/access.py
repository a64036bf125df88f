"""The access that the suite adds to the tenants of `platform.yaml`: callers whose connections it measures."""

from pathlib import Path
from typing import Any, Final

import yaml

CLIENT_NAMESPACE: Final = "tenantry-e2e-client"
CLIENT_LABELS: Final = {"tenantry.dev/e2e-client": "shop"}
GATEWAY_NAMESPACE: Final = "tenantry-e2e-gateway"
GATEWAY_LABELS: Final = {"tenantry.dev/e2e-gateway": "proxy"}
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
        added = {"name": "e2e", "namespace": GATEWAY_NAMESPACE, "podLabels": dict(GATEWAY_LABELS), "domain": DOMAIN}
        content["platform"]["gateway"] = added
    return content


def write(content: dict[str, Any], file: Path) -> Path:
    """Write a platform file; return its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return file
