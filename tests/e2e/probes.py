"""Pods in every place from which somebody might try the walls, and the measuring of the matrix from them."""

import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e import pods
from tests.e2e.cluster import Cluster, service, service_labels
from tests.e2e.matrix import OF_A_TENANT, Cell, Source, Target, expected
from tests.e2e.requirements import STRANGER

NODES: Final = "tenantry-e2e-node"
GUEST: Final = "e2e-guest"
PROMETHEUS_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
OUTSIDE: Final = os.environ.get("OUTSIDE_ADDRESS", "203.0.113.10")
"""A public address that answers on 80 and 443; the shared cluster's is of the range that is kept for documentation."""
METADATA: Final = "169.254.169.254"
DISPOSABLE: Final = os.environ.get("DISPOSABLE") == "1"
NODE_PORT: Final = "tcp:18765"
ATTEMPTS: Final = 2
SECONDS: Final = 3


@dataclass(frozen=True)
class Place:
    """A pod from which probes start.

    Attributes:
        tenant: Whose pod it is, or of whom it carries the labels; empty where neither.
        node: Where it runs.
    """

    kind: Source
    namespace: str
    pod: str
    node: str
    tenant: str = ""
    container: str = ""


@dataclass(frozen=True)
class Door:
    """An address at which probes knock."""

    kind: Target
    protocol: str
    host: str
    port: int
    tenant: str = ""
    node: str = ""

    def __str__(self) -> str:
        return f"{self.tenant + ': ' if self.tenant else ''}{self.kind} ({self.protocol} {self.host}:{self.port})"


@dataclass(frozen=True)
class Measured:
    """One place and one door: how often it was tried, and how."""

    place: Place
    door: Door
    source: Source
    outcomes: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether any attempt got an answer."""
        return "open" in self.outcomes

    def __str__(self) -> str:
        return f"{self.place.namespace}/{self.place.pod} ({self.source}) -> {self.door}: {', '.join(self.outcomes)}"


class Probes:
    """The probe pods of a run."""

    def __init__(self, cluster: Cluster, image: str, tenants: tuple[str, ...]) -> None:
        self.cluster, self.image, self.tenants = cluster, image, tenants

    def start(self) -> None:
        """Bring the pods up, and wait until they are."""
        wanted = list(self._manifests())
        missing = [each for each in wanted if not self._is_there(each)]
        self.cluster.apply(pods.namespace(STRANGER), pods.namespace(NODES))
        self.cluster.apply(*missing)
        for namespace in {each["metadata"]["namespace"] for each in wanted}:
            names = [each["metadata"]["name"] for each in wanted if each["metadata"]["namespace"] == namespace]
            self.cluster.wait_for_pods(namespace, names, seconds=180)

    def stop(self) -> None:
        """Delete the pods."""
        self.cluster.delete("namespace", NODES)
        for namespace in ("monitoring", *self.tenants):
            self.cluster.delete("pods", "-n", namespace, "-l", "tenantry.dev/e2e=probe")

    def measure(self, kinds: Collection[Target] = tuple(Target)) -> tuple[Measured, ...]:
        """Knock at every door of these kinds from every place."""
        doors = {str(index): door for index, door in enumerate(self.doors()) if door.kind in kinds}
        places = list(self.places())
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda place: self._knock(place, doors), places))
        return tuple(
            Measured(place, doors[index], source_of(place, doors[index]), tuple(outcomes))
            for place, result in zip(places, results, strict=True)
            for index, outcomes in result.items()
        )

    def knock(self, place: Place, door: Door) -> Measured:
        """Try one door from one place."""
        return Measured(place, door, source_of(place, door), tuple(self._knock(place, {"0": door})["0"]))

    def _knock(self, place: Place, doors: Mapping[str, Door]) -> dict[str, list[str]]:
        targets = {index: [door.protocol, door.host, door.port] for index, door in doors.items()}
        order = {"attempts": ATTEMPTS, "seconds": SECONDS, "targets": targets}
        answer: dict[str, list[str]] = self.cluster.python(
            place.namespace, place.pod, "probe", order, container=place.container
        )
        return answer

    def places(self) -> Iterator[Place]:
        """Where probes start: a pod that serves each tenant, and the pods of this run."""
        for tenant in self.tenants:
            pod = self.cluster.ready_pods(tenant)[0]
            yield Place(
                Source.SAME_TENANT, tenant, pod["metadata"]["name"], pod["spec"]["nodeName"], tenant, "inference"
            )
        for manifest in self._manifests():
            namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
            if namespace in self.tenants:
                continue
            node = self.cluster.kubectl.get("pod", name, "-n", namespace)["spec"]["nodeName"]
            kind = Source.OWN_NODE if namespace == NODES else _KINDS[name.partition("-of-")[0]]
            yield Place(kind, namespace, name, node, name.partition("-of-")[2])

    def doors(self) -> Iterator[Door]:
        """Where probes knock."""
        for tenant in self.tenants:
            address = self.cluster.kubectl.get("service", service(tenant), "-n", tenant)["spec"]["clusterIP"]
            yield Door(Target.SERVICE, "tcp", address, 8000, tenant)
            for pod in self.cluster.ready_pods(tenant):
                node = pod["spec"]["nodeName"]
                for each in pod["status"]["podIPs"]:
                    kind = Target.IPV6 if ":" in each["ip"] else Target.POD
                    yield Door(kind, "tcp", each["ip"], 8000, tenant, node)
            guest = self.cluster.kubectl.get("pod", GUEST, "-n", tenant)
            address, node = guest["status"]["podIP"], guest["spec"]["nodeName"]
            yield Door(Target.OTHER_PORT, "tcp", address, pods.OTHER_PORT, tenant, node)
            yield Door(Target.UDP, "udp", address, 8000, tenant, node)
        yield from self._platform_doors()

    def _platform_doors(self) -> Iterator[Door]:
        kubectl = self.cluster.kubectl
        for pod in self.cluster.pods("minio", labels={"app.kubernetes.io/name": "minio"}):
            node, address = pod["spec"]["nodeName"], pod["status"]["podIP"]
            yield Door(Target.STORE, "tcp", address, 9000, node=node)
            yield Door(Target.CONSOLE, "tcp", address, 9001, node=node)
        dns = kubectl.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
        yield Door(Target.DNS_UDP, "dns", dns, 53)
        yield Door(Target.DNS_TCP, "tcp", dns, 53)
        yield Door(Target.API_SERVER, "tcp", kubectl.get("service", "kubernetes")["spec"]["clusterIP"], 443)
        slices = kubectl.get("endpointslices", "-l", "kubernetes.io/service-name=kubernetes")["items"]
        for each in slices:
            for endpoint in each["endpoints"]:
                yield Door(Target.API_ADDRESS, "tcp", endpoint["addresses"][0], each["ports"][0]["port"])
        for node in self.cluster.items("nodes"):
            address = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
            yield Door(Target.KUBELET, "tcp", address, 10250)
        yield Door(Target.METADATA, "tcp", METADATA, 80)
        stranger = kubectl.get("pod", "stranger", "-n", STRANGER)
        yield Door(
            Target.PRIVATE_HTTPS, "tcp", stranger["status"]["podIP"], pods.HTTPS, node=stranger["spec"]["nodeName"]
        )
        yield Door(Target.WORLD_HTTPS, "tcp", OUTSIDE, 443)
        yield Door(Target.WORLD_HTTP, "tcp", OUTSIDE, 80)

    def _manifests(self) -> Iterator[dict[str, Any]]:
        def listener(name: str, namespace: str, **options: Any) -> dict[str, Any]:
            return pods.listener(name, namespace=namespace, image=self.image, **options)

        for tenant in self.tenants:
            yield listener(GUEST, tenant)
            labels = {**service_labels(tenant), "app.kubernetes.io/managed-by": "tenantry"}
            yield listener(f"impostor-of-{tenant}", STRANGER, labels=labels)
        yield pods.stranger(self.image)
        yield listener("false-prometheus", STRANGER, labels=PROMETHEUS_LABELS)
        yield listener("e2e-prometheus", "monitoring", labels=PROMETHEUS_LABELS)
        yield listener("e2e-other", "monitoring")
        for node in self.cluster.items("nodes"):
            name = node["metadata"]["name"]
            pod = listener(f"on-{name}", NODES, node=name, host_network=True, ports=(NODE_PORT,))
            yield pods.answering_at(pod, METADATA) if DISPOSABLE else pod

    def _is_there(self, manifest: Mapping[str, Any]) -> bool:
        return self.cluster.exists("pod", manifest["metadata"]["name"], "-n", manifest["metadata"]["namespace"])


_KINDS: Final = {
    "stranger": Source.STRANGER,
    "impostor": Source.IMPOSTOR,
    "false-prometheus": Source.FALSE_PROMETHEUS,
    "e2e-prometheus": Source.PROMETHEUS,
    "e2e-other": Source.MONITORING,
}


def source_of(place: Place, door: Door) -> Source:
    """What a place is to a door."""
    if place.kind is Source.OWN_NODE and place.node != door.node:
        return Source.OTHER_NODE
    if place.kind in {Source.SAME_TENANT, Source.IMPOSTOR} and door.kind in OF_A_TENANT and place.tenant != door.tenant:
        return Source.OTHER_TENANT if place.kind is Source.SAME_TENANT else Source.STRANGER
    return place.kind


def expectation(measured: Measured) -> Cell:
    """What the table says about it."""
    return expected(measured.source, measured.door.kind)
