"""The typed `platform.yaml`: who the tenants are, every default, every rule of a value. Imports no jsii."""

from constructs_lib.platform.document import (
    Defaults,
    Dns,
    ModelStore,
    Monitoring,
    Network,
    Platform,
    PlatformSettings,
    Tenant,
)
from constructs_lib.platform.errors import Mistake, PlatformError

__all__ = [
    "Defaults",
    "Dns",
    "Mistake",
    "ModelStore",
    "Monitoring",
    "Network",
    "Platform",
    "PlatformError",
    "PlatformSettings",
    "Tenant",
]
