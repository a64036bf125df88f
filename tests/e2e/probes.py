"""Pods in every kind of namespace from which a connection could come, and the measurement of the matrix."""

import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e import pods
from tests.e2e.access import CLIENT_LABELS, CLIENT_NAMESPACE, GATEWAY_LABELS, PROXY_NAMESPACE
from tests.e2e.cluster import LiveCluster, service, service_labels
from tests.e2e.matrix import OF_A_TENANT, Cell, Source, Target, expected
from tests.e2e.requirements import OTHER_NAMESPACE

NODES: Final = "tenantry-e2e-node"
NAMESPACES: Final = (OTHER_NAMESPACE, NODES, CLIENT_NAMESPACE, PROXY_NAMESPACE)
LISTENER: Final = "e2e-listener"
PROMETHEUS_LABELS: Final = {"app.kubernetes.io/name": "prometheus"}
OUTSIDE: Final = os.environ.get("OUTSIDE_ADDRESS", "203.0.113.10")
"""A public address that answers on 80 and 443; the default is a documentation address of a test cluster."""
METADATA: Final = "169.254.169.254"
DISPOSABLE: Final = os.environ.get("DISPOSABLE") == "1"
NODE_PORT: Final = "tcp:18765"
ATTEMPTS: Final = 2
SECONDS: Final = 3


@dataclass(frozen=True)
class Client:
    """A pod that opens connections.

    Attributes:
        tenant: The tenant to which the pod belongs or whose labels it has; empty if neither.
        node: The node of the pod.
    """

    kind: Source
    namespace: str
    pod: str
    node: str
    tenant: str = ""
    container: str = ""


@dataclass(frozen=True)
class Endpoint:
    """An address to which clients connect."""

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
    """The outcomes of the attempts from one client to one endpoint."""

    client: Client
    endpoint: Endpoint
    source: Source
    outcomes: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether any attempt was answered."""
        return "open" in self.outcomes

    def __str__(self) -> str:
        return (
            f"{self.client.namespace}/{self.client.pod} ({self.source}) -> {self.endpoint}: {', '.join(self.outcomes)}"
        )


class Probes:
    """The probe pods of a run."""

    def __init__(self, cluster: LiveCluster, image: str, tenants: tuple[str, ...], *, gateway: bool) -> None:
        self.cluster, self.image, self.tenants, self.gateway = cluster, image, tenants, gateway

    def start(self) -> None:
        """Create the pods, and wait until they are Ready."""
        wanted = list(self._manifests())
        missing = [each for each in wanted if not self._is_there(each)]
        self.cluster.apply(*(pods.namespace(name) for name in NAMESPACES if not self.cluster.exists("namespace", name)))
        self.cluster.apply(*missing)
        for namespace in {each["metadata"]["namespace"] for each in wanted}:
            names = [each["metadata"]["name"] for each in wanted if each["metadata"]["namespace"] == namespace]
            self.cluster.wait_for_pods(namespace, names, seconds=180)

    def stop(self) -> None:
        """Delete the pods; a namespace that existed before remains."""
        (mark,) = (f"{key}={value}" for key, value in pods.MARK.items())
        made = {each["metadata"]["name"] for each in self.cluster.items("namespaces", "-l", mark)}
        self.cluster.delete("namespace", *(name for name in NAMESPACES[1:] if name in made))
        for namespace in {"monitoring", PROXY_NAMESPACE, *self.tenants} - made:
            self.cluster.delete("pods", "-n", namespace, "-l", mark)

    def measure(self, kinds: Collection[Target] = tuple(Target), *, about: str = "") -> tuple[Measured, ...]:
        """Connect from every client to every endpoint.

        Args:
            kinds: Of the endpoints.
            about: A tenant: only connections from or to it are measured.
        """
        endpoints = {str(index): endpoint for index, endpoint in enumerate(self.endpoints()) if endpoint.kind in kinds}
        clients = list(self.clients())

        def connect(client: Client) -> dict[str, list[str]]:
            is_about = not about or client.tenant == about
            return self._connect(
                client, {key: each for key, each in endpoints.items() if is_about or each.tenant == about}
            )

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(connect, clients))
        return tuple(
            Measured(client, endpoints[index], source_of(client, endpoints[index]), tuple(outcomes))
            for client, result in zip(clients, results, strict=True)
            for index, outcomes in result.items()
        )

    def connect(self, client: Client, endpoint: Endpoint) -> Measured:
        """Connect from one client to one endpoint."""
        return Measured(
            client, endpoint, source_of(client, endpoint), tuple(self._connect(client, {"0": endpoint})["0"])
        )

    def _connect(self, client: Client, endpoints: Mapping[str, Endpoint]) -> dict[str, list[str]]:
        targets = {index: [endpoint.protocol, endpoint.host, endpoint.port] for index, endpoint in endpoints.items()}
        order = {"attempts": ATTEMPTS, "seconds": SECONDS, "targets": targets}
        answer: dict[str, list[str]] = self.cluster.python(
            client.namespace, client.pod, "probe", order, container=client.container
        )
        return answer

    def clients(self) -> Iterator[Client]:
        """The clients: a serving pod of each tenant, and the pods of this run."""
        for tenant in self.tenants:
            pod = self.cluster.ready_pods(tenant)[0]
            yield Client(
                Source.SAME_TENANT, tenant, pod["metadata"]["name"], pod["spec"]["nodeName"], tenant, "inference"
            )
        for manifest in self._manifests():
            namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
            if namespace in self.tenants:
                continue
            node = self.cluster.kubectl.get("pod", name, "-n", namespace)["spec"]["nodeName"]
            kind = Source.OWN_NODE if namespace == NODES else _KINDS[name.partition("-of-")[0]]
            yield Client(kind, namespace, name, node, name.partition("-of-")[2])

    def endpoints(self) -> Iterator[Endpoint]:
        """The endpoints."""
        for tenant in self.tenants:
            address = self.cluster.kubectl.get("service", service(tenant), "-n", tenant)["spec"]["clusterIP"]
            yield Endpoint(Target.SERVICE, "tcp", address, 8000, tenant)
            for pod in self.cluster.ready_pods(tenant):
                node = pod["spec"]["nodeName"]
                for each in pod["status"]["podIPs"]:
                    kind = Target.IPV6 if ":" in each["ip"] else Target.POD
                    yield Endpoint(kind, "tcp", each["ip"], 8000, tenant, node)
            listening = self.cluster.kubectl.get("pod", LISTENER, "-n", tenant)
            address, node = listening["status"]["podIP"], listening["spec"]["nodeName"]
            yield Endpoint(Target.OTHER_PORT, "tcp", address, pods.OTHER_PORT, tenant, node)
            yield Endpoint(Target.UDP, "udp", address, 8000, tenant, node)
        yield from self._platform_endpoints()

    def _platform_endpoints(self) -> Iterator[Endpoint]:
        kubectl = self.cluster.kubectl
        for pod in self.cluster.pods("minio", labels={"app.kubernetes.io/name": "minio"}):
            node, address = pod["spec"]["nodeName"], pod["status"]["podIP"]
            yield Endpoint(Target.STORE, "tcp", address, 9000, node=node)
            yield Endpoint(Target.CONSOLE, "tcp", address, 9001, node=node)
        dns = kubectl.get("service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
        yield Endpoint(Target.DNS_UDP, "dns", dns, 53)
        yield Endpoint(Target.DNS_TCP, "tcp", dns, 53)
        yield Endpoint(Target.API_SERVER, "tcp", kubectl.get("service", "kubernetes")["spec"]["clusterIP"], 443)
        slices = kubectl.get("endpointslices", "-l", "kubernetes.io/service-name=kubernetes")["items"]
        for each in slices:
            for found in each["endpoints"]:
                yield Endpoint(Target.API_ADDRESS, "tcp", found["addresses"][0], each["ports"][0]["port"])
        for node in self.cluster.items("nodes"):
            address = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
            yield Endpoint(Target.KUBELET, "tcp", address, 10250)
        yield Endpoint(Target.METADATA, "tcp", METADATA, 80)
        outside = kubectl.get("pod", "outside", "-n", OTHER_NAMESPACE)
        yield Endpoint(
            Target.PRIVATE_HTTPS, "tcp", outside["status"]["podIP"], pods.HTTPS, node=outside["spec"]["nodeName"]
        )
        yield Endpoint(Target.WORLD_HTTPS, "tcp", OUTSIDE, 443)
        yield Endpoint(Target.WORLD_HTTP, "tcp", OUTSIDE, 80)

    def _manifests(self) -> Iterator[dict[str, Any]]:
        def listener(name: str, namespace: str, **options: Any) -> dict[str, Any]:
            return pods.listener(name, namespace=namespace, image=self.image, **options)

        for tenant in self.tenants:
            yield listener(LISTENER, tenant)
            labels = {**service_labels(tenant), "app.kubernetes.io/managed-by": "tenantry"}
            yield listener(f"tenant-labels-of-{tenant}", OTHER_NAMESPACE, labels=labels)
        yield pods.outside_pod(self.image)
        yield listener("prometheus-labels", OTHER_NAMESPACE, labels=PROMETHEUS_LABELS)
        yield listener("e2e-prometheus", "monitoring", labels=PROMETHEUS_LABELS)
        yield listener("e2e-other", "monitoring")
        yield listener("client", CLIENT_NAMESPACE, labels=CLIENT_LABELS)
        yield listener("client-namespace", CLIENT_NAMESPACE)
        yield listener("client-labels", OTHER_NAMESPACE, labels=CLIENT_LABELS)
        if self.gateway:
            yield listener("gateway", PROXY_NAMESPACE, labels=GATEWAY_LABELS)
            yield listener("gateway-namespace", PROXY_NAMESPACE)
            yield listener("gateway-labels", OTHER_NAMESPACE, labels=GATEWAY_LABELS)
        for node in self.cluster.items("nodes"):
            name = node["metadata"]["name"]
            pod = listener(f"on-{name}", NODES, node=name, host_network=True, ports=(NODE_PORT,))
            yield pods.answering_at(pod, METADATA) if DISPOSABLE else pod

    def _is_there(self, manifest: Mapping[str, Any]) -> bool:
        return self.cluster.exists("pod", manifest["metadata"]["name"], "-n", manifest["metadata"]["namespace"])


_KINDS: Final = {
    "outside": Source.OTHER_NAMESPACE,
    "tenant-labels": Source.TENANT_LABELS,
    "prometheus-labels": Source.PROMETHEUS_LABELS,
    "e2e-prometheus": Source.PROMETHEUS,
    "e2e-other": Source.MONITORING,
    "client": Source.CLIENT,
    "client-namespace": Source.CLIENT_NAMESPACE,
    "client-labels": Source.CLIENT_LABELS,
    "gateway": Source.GATEWAY,
    "gateway-namespace": Source.GATEWAY_NAMESPACE,
    "gateway-labels": Source.GATEWAY_LABELS,
}


def source_of(client: Client, endpoint: Endpoint) -> Source:
    """The source that a client is for an endpoint."""
    if client.kind is Source.OWN_NODE and client.node != endpoint.node:
        return Source.OTHER_NODE
    if (
        client.kind in {Source.SAME_TENANT, Source.TENANT_LABELS}
        and endpoint.kind in OF_A_TENANT
        and client.tenant != endpoint.tenant
    ):
        return Source.OTHER_TENANT if client.kind is Source.SAME_TENANT else Source.OTHER_NAMESPACE
    return client.kind


def expectation(measured: Measured) -> Cell:
    """The expected result, from the table."""
    return expected(measured.source, measured.endpoint.kind)
