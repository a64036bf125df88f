"""Pods that the tests create, all with the service's own image."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from constructs_lib.hardening import hardened
from inference import contract
from tests.e2e.cluster import INSIDE

HTTPS: Final = 443
MARK: Final = {"tenantry.dev/e2e": "probe"}
"""Label of everything that a run creates in addition to the platform."""
OTHER_PORT: Final = contract.PORT + 1
"""A port on which probe pods listen and that no policy allows."""

PORTS: Final = (f"tcp:{contract.PORT}", f"udp:{contract.PORT}", f"tcp:{OTHER_PORT}")
OTHER_NAMESPACE: Final = "tenantry-e2e-other"


def outside_pod(image: str) -> dict[str, Any]:
    """A pod in a namespace without policies; it also answers on port 443."""
    return listener("outside", namespace=OTHER_NAMESPACE, image=image, ports=(*PORTS, f"tcp:{HTTPS}"))


def namespace(name: str) -> dict[str, Any]:
    """A namespace without policies."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": MARK}}


def listener(
    name: str,
    *,
    namespace: str,
    image: str,
    labels: Mapping[str, str] | None = None,
    node: str = "",
    host_network: bool = False,
    ports: Sequence[str] = PORTS,
    answer: str = "ok\n",
) -> dict[str, Any]:
    """A pod that answers on `ports` and from which probes start."""
    pod = restricted_pod(name, namespace=namespace, image=image, labels=labels)
    container = pod["spec"]["containers"][0]
    container["command"] = ["python", "-c", (INSIDE / "listen.py").read_text("utf-8"), *ports]
    container["env"] = [{"name": "ANSWER", "value": answer}]
    if f"tcp:{HTTPS}" in ports:
        lowest = {"name": "net.ipv4.ip_unprivileged_port_start", "value": str(HTTPS)}
        pod["spec"]["securityContext"]["sysctls"] = [lowest]
    if ports:
        port = int(ports[0].partition(":")[2])
        container["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1, "failureThreshold": 60}
    if host_network:
        # The pod uses no port of the node but its own; it also runs on the control plane's node.
        pod["spec"] |= {"hostNetwork": True, "tolerations": [{"operator": "Exists"}]}
    else:
        container["ports"] = [{"name": contract.PORT_NAME, "containerPort": contract.PORT}]
    if node:
        pod["spec"]["nodeName"] = node
    return pod


def answering_at(pod: dict[str, Any], address: str) -> dict[str, Any]:
    """Let a pod on the host network answer on port 80 of an address that is otherwise unused: a positive control."""
    container = pod["spec"]["containers"][0]
    container["command"] += [f"address:{address}", f"tcp:80@{address}"]
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    container["securityContext"]["capabilities"]["add"] = ["NET_ADMIN", "NET_BIND_SERVICE"]
    return pod


def killer(namespace: str, *, image: str, node: str) -> dict[str, Any]:
    """A pod that can see and end the processes of its node."""
    pod = restricted_pod("e2e-killer", namespace=namespace, image=image)
    pod["spec"] |= {"hostPID": True, "nodeName": node}
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    pod["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] = ["KILL"]
    return pod


def restricted_pod(name: str, *, namespace: str, image: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A pod that meets the Pod Security Standard `restricted`, with small resources."""
    spec = hardened(
        {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "probe",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", "import threading; threading.Event().wait()"],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "500m", "memory": "128Mi"},
                    },
                }
            ],
        }
    )
    metadata = {"name": name, "namespace": namespace, "labels": {**MARK, **(labels or {})}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
