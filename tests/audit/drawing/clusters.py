"""Draws whole clusters, with the connections to ask about."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from tests.audit.drawing.addresses import OUTSIDE, POD_CIDRS
from tests.audit.drawing.admin_policies import draw_admin_policies
from tests.audit.drawing.draw import NAMESPACE_LABELS, POD_LABELS, PORT_NAMES, PORT_NUMBERS, PROTOCOLS, Draw
from tests.audit.drawing.network_policies import Vocabulary, draw_network_policies
from tests.audit.kube_objects import deployment_of, namespace, pod
from tests.audit.reference import Assumptions, Object

_NAMESPACES: Final = ["red", "blue", "grey"]


@dataclass(frozen=True)
class Drawn:
    """A cluster, what is assumed of it, and the ports that are asked at every pair."""

    objects: list[Object]
    assumptions: Assumptions
    ports: list[tuple[int, str]]

    def asks(self) -> Iterator[tuple[str, str, int, str]]:
        """Every pair with a pod on one end at least, on every port."""
        pods = [
            f"{each['metadata']['namespace']}/{each['metadata']['name']}"
            for each in self.objects
            if each["kind"] in {"Pod", "Deployment"}
        ]
        for source, destination in product([*pods, *OUTSIDE], repeat=2):
            if source in pods or destination in pods:
                for port, protocol in self.ports:
                    yield source, destination, port, protocol


def draw_cluster(draw: Draw) -> Drawn:
    """A cluster of up to three namespaces and six pods or Deployments; a namespace may be mentioned only."""
    families = draw.one([["IPv4"], ["IPv4"], ["IPv6"], ["IPv4", "IPv6"]])
    namespaces = _NAMESPACES[: draw.number(1, 3)]
    objects = [
        *(namespace(name, **draw.labels(NAMESPACE_LABELS)) for name in namespaces if draw.chance(85)),
        *_workloads(draw, namespaces, families),
        *draw_network_policies(draw, Vocabulary(namespaces)),
        *draw_admin_policies(draw, namespaces),
    ]
    assumptions = Assumptions(
        pod_cidrs=tuple(POD_CIDRS[each] for each in families) if draw.chance(60) else (),
        ip_blocks_cover_pods=draw.one([None, True, True, False]),
    )
    return Drawn(objects, assumptions, draw.some(list(product([1, *PORT_NUMBERS, 65535], PROTOCOLS)), 3, 3))


def _workloads(draw: Draw, namespaces: list[str], families: list[str]) -> Iterator[Object]:
    """Pods and Deployments; some Deployments differ from another only in their ports."""
    for number in range(1, draw.number(1, 5) + 1):
        made = _pod(draw, draw.one(namespaces), number, families)
        yield made
        if made["kind"] == "Deployment" and draw.chance(40):
            container = {"name": "main", "image": "busybox:1.35", "ports": _ports(draw)}
            twin = {**made["spec"]["template"]["spec"], "containers": [container]}
            template = {"metadata": made["spec"]["template"]["metadata"], "spec": twin}
            metadata = {**made["metadata"], "name": f"twin-{number}"}
            yield {**made, "metadata": metadata, "spec": {**made["spec"], "template": template}}


def _pod(draw: Draw, home: str, number: int, families: list[str]) -> Object:
    host_network = draw.chance(8)
    known = not host_network and draw.chance(40)
    addresses = {"IPv4": f"10.244.{number % 2 * 128 + 1}.{number}", "IPv6": f"fd00:1::{number % 2}:{number}"}
    made = pod(
        f"{home}/pod-{number}",
        draw.labels(POD_LABELS),
        _ports(draw) if draw.chance(75) else None,
        tuple(addresses[each] for each in families) if known else (),
        **({"hostNetwork": True} if host_network else {}),
    )
    if draw.chance(15):
        before: Object = {"name": "before", "image": "busybox:1.35", "ports": _ports(draw)}
        made["spec"]["initContainers"] = [before | draw.one([{}, {"restartPolicy": "Always"}])]
    return deployment_of(made) if made["metadata"]["labels"] and draw.chance(50) else made


def _ports(draw: Draw) -> list[Object]:
    """Container ports, some with a name; names and numbers come at most once."""
    drawn: list[Object] = []
    for name, number in zip(draw.some([*PORT_NAMES, ""], 0, 3), draw.some(PORT_NUMBERS, 3, 3), strict=False):
        port: Object = {"containerPort": number}
        if name:
            port["name"] = name
        if draw.chance(60):
            port["protocol"] = draw.one(PROTOCOLS)
        drawn.append(port)
    return drawn
