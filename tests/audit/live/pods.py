"""The few long-lived pods that all policy sets are about."""

from collections.abc import Iterator
from typing import Final

from tests.audit.kube_objects import namespace
from tests.audit.reference import Object
from tests.e2e import pods

NAMESPACES: Final = {
    "audit-red": {"team": "red", "stage": "test"},
    "audit-blue": {"team": "blue", "stage": "live"},
    "audit-grey": {"stage": "live"},
}
TCP: Final = (8080, 8081, 8082)
UDP: Final = (8080, 8081)
NUMBERS: Final = (8079, 8080, 8081, 8082)
"""Ports that policies speak of; on the first one nothing listens."""
_PODS: Final[dict[str, tuple[dict[str, str], dict[str, tuple[int, str]]]]] = {
    "audit-red/one": ({"app": "a", "tier": "front"}, {"web": (8080, "TCP"), "dns": (8081, "UDP")}),
    "audit-red/two": ({"app": "b", "tier": "back"}, {"web": (8081, "TCP"), "dns": (8080, "UDP")}),
    "audit-red/three": ({"app": "c"}, {}),
    "audit-blue/one": ({"app": "a", "tier": "front"}, {"web": (8080, "TCP"), "admin": (8082, "TCP")}),
    "audit-blue/two": ({"tier": "back"}, {"dns": (8081, "TCP")}),
    "audit-grey/one": ({"app": "a"}, {"web": (8080, "UDP")}),
    "audit-grey/two": ({"app": "b", "tier": "front"}, {"admin": (8080, "TCP"), "web": (8082, "TCP")}),
}
"""Labels and named ports: a name is another number on another pod, another protocol, or missing."""


def objects(image: str) -> Iterator[Object]:
    """Namespaces and pods; every pod listens on all ports, whatever its named ports are."""
    for name, labels in NAMESPACES.items():
        yield namespace(name, **labels)
    listening = (*(f"tcp:{port}" for port in TCP), *(f"udp:{port}" for port in UDP))
    for key, (labels, named) in _PODS.items():
        home, name = key.split("/")
        pod = pods.listener(name, namespace=home, image=image, labels=labels, ports=listening)
        pod["spec"]["containers"][0]["ports"] = [
            {"name": each, "containerPort": port, "protocol": protocol} for each, (port, protocol) in named.items()
        ]
        yield pod


def names() -> dict[str, list[str]]:
    """Names of the pods in each namespace."""
    return {home: [key.split("/")[1] for key in _PODS if key.startswith(f"{home}/")] for home in NAMESPACES}
