"""The access that the suite adds to the tenants of `platform.yaml`: clients whose connections it measures."""

from pathlib import Path
from typing import Any, Final

import yaml

CLIENT_NAMESPACE: Final = "tenantry-e2e-client"
CLIENT_LABELS: Final = {"tenantry.dev/e2e-client": "shop"}


def with_access(file: Path) -> dict[str, Any]:
    """The content of a platform file, with a client in front of every tenant's own clients."""
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    for tenant in content["tenants"]:
        own = tenant.get("clients", [])
        tenant["clients"] = [{"namespace": CLIENT_NAMESPACE, "podLabels": dict(CLIENT_LABELS)}, *own]
    return content


def write(content: dict[str, Any], file: Path) -> Path:
    """Write a platform file; return its path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return file
