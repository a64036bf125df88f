"""The constructs and the app, under the name that is the same in the repository and in an installed package.

The constructs are imported on first use: they load jsii, which takes a second, and a synth without changes needs none.
"""

from typing import TYPE_CHECKING, Any

from constructs_lib import __getattr__ as _construct
from constructs_lib.project import main

if TYPE_CHECKING:
    from constructs_lib import (
        IsolatedTenant,
        IsolatedTenantProps,
        MonitoredInference,
        MonitoredInferenceProps,
        Platform,
        PlatformError,
        PropsError,
    )

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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return _construct(name)
