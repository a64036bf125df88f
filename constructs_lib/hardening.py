"""The security settings of every pod that this project runs, as plain data. Imports no jsii.

They satisfy the Pod Security Standard `restricted` and go further: a fixed user (unless the cluster assigns one), a
read-only root file system, no ServiceAccount token and no environment variables of other Services.
"""

from collections.abc import Mapping
from typing import Any

from inference import contract

Manifest = dict[str, Any]


def hardened(spec: Mapping[str, Any], *, fixed_user: bool = True) -> Manifest:
    """A copy of a pod's `spec`, keys sorted, with the security settings of the pod and of each container.

    Args:
        spec: the pod's `spec`.
        fixed_user: whether it runs as the image's user; otherwise the cluster assigns one, never root.
    """
    settings = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security_context(fixed_user=fixed_user),
    }
    containers = [_sorted({**each, "securityContext": container_security_context()}) for each in spec["containers"]]
    return _sorted({**spec, **settings, "containers": containers})


def _sorted(mapping: Mapping[str, Any]) -> Manifest:
    return dict(sorted(mapping.items()))


def pod_security_context(*, fixed_user: bool = True) -> Manifest:
    """`spec.securityContext` of a pod."""
    user = dict.fromkeys(("fsGroup", "runAsGroup", "runAsUser"), contract.USER_ID) if fixed_user else {}
    return _sorted({**user, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})


def container_security_context() -> Manifest:
    """`securityContext` of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
