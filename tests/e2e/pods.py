"""Pods that the tests put into the cluster, all of them of the service's own image: no second image is needed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from constructs_lib.hardening import hardened
from inference import contract
from tests.e2e.cluster import INSIDE

HTTPS: Final = 443
MARK: Final = {"tenantry.dev/e2e": "probe"}
"""Label of everything that a run makes beside the platform itself."""
OTHER_PORT: Final = contract.PORT + 1
"""A port on which probe pods listen and that no policy opens."""

PORTS: Final = (f"tcp:{contract.PORT}", f"udp:{contract.PORT}", f"tcp:{OTHER_PORT}")
STRANGER: Final = "tenantry-e2e-stranger"


def stranger(image: str) -> dict[str, Any]:
    """A pod that has nothing to do with anybody, and answers on 443, too, as a neighbour's Service might."""
    return listener("stranger", namespace=STRANGER, image=image, ports=(*PORTS, f"tcp:{HTTPS}"))


def namespace(name: str) -> dict[str, Any]:
    """A namespace that no wall surrounds."""
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
        # A node's own ports are not ours to take, and the control plane's node is probed too.
        pod["spec"] |= {"hostNetwork": True, "tolerations": [{"operator": "Exists"}]}
    else:
        container["ports"] = [{"name": contract.PORT_NAME, "containerPort": contract.PORT}]
    if node:
        pod["spec"]["nodeName"] = node
    return pod


def answering_at(pod: dict[str, Any], address: str) -> dict[str, Any]:
    """A pod on the host's network that answers on port 80 of an address that nobody else has: a positive control."""
    container = pod["spec"]["containers"][0]
    container["command"] += [f"address:{address}", f"tcp:80@{address}"]
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    container["securityContext"]["capabilities"]["add"] = ["NET_ADMIN", "NET_BIND_SERVICE"]
    return pod


def killer(namespace: str, *, image: str, node: str) -> dict[str, Any]:
    """A pod that sees its node's processes and may end them."""
    pod = restricted_pod("e2e-killer", namespace=namespace, image=image)
    pod["spec"] |= {"hostPID": True, "nodeName": node}
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    pod["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] = ["KILL"]
    return pod


def restricted_pod(name: str, *, namespace: str, image: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A pod as Pod Security's `restricted` standard wants it, small enough for every quota."""
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
