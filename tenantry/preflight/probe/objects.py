"""The objects of a probe: a namespace with the tenants' Pod Security, two pods, and policies."""

import secrets
from typing import Any, Final

from constructs_lib.hardening import hardened
from constructs_lib.names import platform_labels
from constructs_lib.network import NetworkPort, dns_servers, policy_spec
from constructs_lib.platform import PlatformSettings

Object = dict[str, Any]
PREFIX: Final = "tenantry-preflight-"
LABEL: Final = "tenantry.dev/preflight"
SERVER: Final = "server"
CLIENT: Final = "client"
PORT: Final = 8000
_LIFETIME_SECONDS: Final = 600
"""After this, pods that a killed probe left behind end by themselves."""
_LISTEN: Final = (
    "import socketserver;h=type('H',(socketserver.BaseRequestHandler,),{'handle':lambda s:s.request.sendall(b'ok')});"
    "s=socketserver.ThreadingTCPServer;s.address_family=10;s.allow_reuse_address=True;"
    f"s(('::',{PORT}),h).serve_forever()"
)
_WAIT: Final = f"import time;time.sleep({_LIFETIME_SECONDS})"


def namespace() -> Object:
    """A namespace with a unique name and the tenants' Pod Security."""
    security = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": f"{PREFIX}{secrets.token_hex(4)}", "labels": {**platform_labels(), LABEL: "", **security}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pod(role: str, space: str, image: str, *, fixed_user: bool) -> Object:
    """A pod of the service's image that runs Python, as the server or the client."""
    code = _LISTEN if role == SERVER else _WAIT
    container = {
        "name": role,
        "image": image,
        "command": ["python", "-c", code],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}},
    }
    spec = {
        "activeDeadlineSeconds": _LIFETIME_SECONDS,
        "containers": [container],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
    }
    metadata = {"name": role, "namespace": space, "labels": {LABEL: role}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": hardened(spec, fixed_user=fixed_user)}


def privileged_pod(space: str, image: str) -> Object:
    """A pod that the Pod Security Standard `restricted` forbids."""
    container = {"name": "a", "image": image, "securityContext": {"privileged": True}}
    metadata = {"name": "privileged", "namespace": space}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def denial(role: str, direction: str, space: str) -> Object:
    """A policy that denies everything in one direction to one of the pods."""
    return _policy(f"deny-{direction.lower()}", space, role, {"policyTypes": [direction]})


def dns_only(space: str, settings: PlatformSettings) -> Object:
    """A policy under which the client may ask DNS only, with the same peers and ports as a tenant's."""
    ports = [NetworkPort(settings.dns.port, "UDP"), NetworkPort(settings.dns.port)]
    spec = policy_spec(ports=ports, egress=dns_servers(settings.dns))
    return _policy("allow-dns", space, CLIENT, spec)


def _policy(name: str, space: str, role: str, spec: Object) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {**spec, "podSelector": {"matchLabels": {LABEL: role}}},
    }
