"""Constructs for a tenant: `IsolatedTenant` and `MonitoredInference`. Imported on first use, since they load jsii."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs_lib.alert import Alert
    from constructs_lib.errors import PropsError
    from constructs_lib.inference_props import MonitoredInferenceProps
    from constructs_lib.isolated_tenant import IsolatedTenant, IsolatedTenantProps
    from constructs_lib.monitored_inference import MonitoredInference
    from constructs_lib.network import NetworkPeer, NetworkPort
    from constructs_lib.platform import Platform, PlatformError

__all__ = [
    "Alert",
    "IsolatedTenant",
    "IsolatedTenantProps",
    "MonitoredInference",
    "MonitoredInferenceProps",
    "NetworkPeer",
    "NetworkPort",
    "Platform",
    "PlatformError",
    "PropsError",
]

# jsii runs Node: use the one of this environment, even if the environment is not activated.
_NODE = Path(sys.executable).with_name("node")
if _NODE.exists():
    os.environ.setdefault("JSII_NODE", str(_NODE))


def _is_writable(folder: Path) -> bool:
    """Whether the folder can be written to, or created."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


# jsii keeps a cache in the home folder, and fails if it cannot. Without the cache it takes a second longer.
if "JSII_RUNTIME_PACKAGE_CACHE_ROOT" not in os.environ and not _is_writable(
    Path(os.path.expanduser("~/.cache/aws/jsii"))  # noqa: PTH111 - Path.expanduser fails where there is no home
):
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE", "disabled")

_HOMES = {
    "Alert": "alert",
    "IsolatedTenant": "isolated_tenant",
    "IsolatedTenantProps": "isolated_tenant",
    "MonitoredInference": "monitored_inference",
    "MonitoredInferenceProps": "inference_props",
    "NetworkPeer": "network",
    "NetworkPort": "network",
    "Platform": "platform",
    "PlatformError": "platform",
    "PropsError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
