"""The constructs and the app, under the name that is the same in the repository and in an installed package."""

from constructs_lib import (
    IsolatedTenant,
    IsolatedTenantProps,
    MonitoredInference,
    MonitoredInferenceProps,
    Platform,
    PlatformError,
    PropsError,
)
from constructs_lib.project import main

__all__ = [
    "IsolatedTenant",
    "IsolatedTenantProps",
    "MonitoredInference",
    "MonitoredInferenceProps",
    "Platform",
    "PlatformError",
    "PropsError",
    "main",
]
