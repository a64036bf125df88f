"""The platform of `dist/` on paper: the pods of the end-to-end suite's matrix, where they run, and what they ask."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import yaml

from audit import Assumptions
from inference import contract
from tests.audit.kube_objects import namespace
from tests.audit.reference import Object
from tests.e2e import pods
from tests.e2e.access import CLIENT_LABELS, CLIENT_NAMESPACE, GATEWAY_LABELS, PROXY_NAMESPACE
from tests.e2e.cluster import service
from tests.e2e.matrix import Source, Target
from tests.e2e.probes import METADATA, OUTSIDE, PROMETHEUS_LABELS
from tests.example_platform import accessible_dist

ROOT: Final = Path(__file__).parents[2]
PATHS: Final = [accessible_dist(), ROOT / "terraform/platform/manifests/minio-network-policy.yaml"]
ASSUMPTIONS: Final = Assumptions(
    pod_cidrs=["10.244.0.0/16", "fd00:10:244::/56"], service_cidrs=["10.96.0.0/16"], node_cidrs=["10.200.0.0/24"]
)
TENANTS: Final = ("tenant-a", "tenant-b")
CONTROL_PLANE, ITS_NODE, OTHER_NODE = "10.200.0.10", "10.200.0.11", "10.200.0.12"
_NODES: Final = {"control-plane": CONTROL_PLANE, "worker": ITS_NODE, "worker2": OTHER_NODE}
_ELSEWHERE: Final = "elsewhere"


def objects() -> list[Object]:
    """What is in a cluster beside `dist/` and the object store's policy."""
    homes = ("kube-system", "minio", CLIENT_NAMESPACE, PROXY_NAMESPACE, _ELSEWHERE)
    return [
        *(namespace(name) for name in homes),
        *(_node(name, address) for name, address in _NODES.items()),
        *_pods(),
        _service("kube-system/kube-dns", [("UDP", 53), ("TCP", 53)], {"k8s-app": "kube-dns"}),
        _service("default/kubernetes", [("TCP", 443)], None),
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": "default",
                "name": "kubernetes",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [CONTROL_PLANE]}],
            "ports": [{"name": "tcp-443", "port": 6443, "protocol": "TCP"}],
        },
    ]


_PODS: Final[dict[Source, tuple[str, ...]]] = {
    Source.SAME_TENANT: ("{tenant}/own",),
    Source.OTHER_TENANT: ("{other}/{other}-ml-inference", "{other}/own"),
    Source.OTHER_NAMESPACE: (f"{_ELSEWHERE}/stranger", f"{_ELSEWHERE}/same-labels-as-{{other}}"),
    Source.TENANT_LABELS: (f"{_ELSEWHERE}/same-labels-as-{{tenant}}",),
    Source.PROMETHEUS_LABELS: (f"{_ELSEWHERE}/false-prometheus",),
    Source.PROMETHEUS: ("monitoring/prometheus",),
    Source.MONITORING: ("monitoring/other",),
    Source.CLIENT: (f"{CLIENT_NAMESPACE}/client",),
    Source.CLIENT_NAMESPACE: (f"{CLIENT_NAMESPACE}/other",),
    Source.CLIENT_LABELS: (f"{_ELSEWHERE}/false-client",),
    Source.GATEWAY: (f"{PROXY_NAMESPACE}/gateway",),
    Source.GATEWAY_NAMESPACE: (f"{PROXY_NAMESPACE}/other",),
    Source.GATEWAY_LABELS: (f"{_ELSEWHERE}/false-gateway",),
    Source.OWN_NODE: ("node/worker",),
    Source.OTHER_NODE: ("node/worker2", "node/control-plane"),
}
_DOORS: Final[dict[Target, tuple[tuple[str, int, str], ...]]] = {
    Target.SERVICE: (("{tenant}/service/{service}", contract.PORT, "TCP"),),
    Target.POD: (("{tenant}/other-pod", contract.PORT, "TCP"), ("{tenant}/own", contract.PORT, "TCP")),
    Target.OTHER_PORT: (("{tenant}/other-pod", pods.OTHER_PORT, "TCP"),),
    Target.UDP: (("{tenant}/other-pod", contract.PORT, "UDP"),),
    Target.IPV6: (("{ipv6}", contract.PORT, "TCP"),),
    Target.STORE: (("minio/minio", 9000, "TCP"),),
    Target.CONSOLE: (("minio/minio", 9001, "TCP"),),
    Target.DNS_UDP: (("kube-system/service/kube-dns", 53, "UDP"),),
    Target.DNS_TCP: (("kube-system/service/kube-dns", 53, "TCP"),),
    Target.API_SERVER: (("default/service/kubernetes", 443, "TCP"),),
    Target.API_ADDRESS: ((CONTROL_PLANE, 6443, "TCP"),),
    Target.KUBELET: ((CONTROL_PLANE, 10250, "TCP"), (OTHER_NODE, 10250, "TCP")),
    Target.METADATA: ((METADATA, 80, "TCP"),),
    Target.PRIVATE_HTTPS: ((f"{_ELSEWHERE}/stranger", pods.HTTPS, "TCP"),),
    Target.WORLD_HTTPS: ((OUTSIDE, 443, "TCP"),),
    Target.WORLD_HTTP: ((OUTSIDE, 80, "TCP"),),
}
ON_NODES: Final = {Target.API_SERVER, Target.API_ADDRESS, Target.KUBELET}
"""Targets that are nodes: whether a pod may reach its own node is not for policies to say."""


def asks(source: Source, target: Target) -> Iterator[tuple[str, str, int, str]]:
    """What the audit is asked for a cell: source, destination, port and protocol, for each tenant."""
    for tenant in TENANTS:
        other = next(each for each in TENANTS if each != tenant)
        names = {"tenant": tenant, "other": other, "service": service(tenant), "ipv6": _ipv6(tenant)}
        places = _PODS[source]
        if source is Source.SAME_TENANT and target not in ON_NODES:
            places = (*places, "{tenant}/{tenant}-ml-inference")
        for place, (endpoint, port, protocol) in product(places, _DOORS[target]):
            yield place.format(**names), endpoint.format(**names), port, protocol


def _pods() -> Iterator[Object]:
    """One pod of each kind that the matrix knows, all on the node `worker`."""
    for number, tenant in enumerate(TENANTS):
        template = _template(tenant)
        own = {"metadata": {"namespace": tenant, "name": "own", **template["metadata"]}, "spec": template["spec"]}
        yield _placed(own | {"apiVersion": "v1", "kind": "Pod"}, f"10.244.1.{number + 1}")
        yield _placed(_pod("other-pod", tenant), f"10.244.1.{number + 3}", _ipv6(tenant))
        labels = {**template["metadata"]["labels"], "app.kubernetes.io/managed-by": "tenantry"}
        yield _placed(_pod(f"same-labels-as-{tenant}", _ELSEWHERE, labels), f"10.244.1.{number + 5}")
    for number, (home, name, labels) in enumerate(
        [
            (_ELSEWHERE, "stranger", {}),
            (_ELSEWHERE, "false-prometheus", PROMETHEUS_LABELS),
            ("monitoring", "prometheus", PROMETHEUS_LABELS),
            ("monitoring", "other", {}),
            (CLIENT_NAMESPACE, "client", CLIENT_LABELS),
            (CLIENT_NAMESPACE, "other", {}),
            (_ELSEWHERE, "false-client", CLIENT_LABELS),
            (PROXY_NAMESPACE, "gateway", GATEWAY_LABELS),
            (PROXY_NAMESPACE, "other", {}),
            (_ELSEWHERE, "false-gateway", GATEWAY_LABELS),
            ("kube-system", "coredns", {"k8s-app": "kube-dns"}),
            ("minio", "minio", {"app.kubernetes.io/name": "minio"}),
        ]
    ):
        yield _placed(_pod(name, home, labels), f"10.244.1.{number + 10}")


def _pod(name: str, home: str, labels: dict[str, str] | None = None) -> Object:
    return pods.listener(name, namespace=home, image="any", labels=labels)


def _placed(pod: Object, *addresses: str) -> Object:
    status = {"hostIP": ITS_NODE, "podIP": addresses[0], "podIPs": [{"ip": each} for each in addresses]}
    return pod | {"spec": {**pod["spec"], "nodeName": "worker"}, "status": status}


def _ipv6(tenant: str) -> str:
    return f"fd00:10:244::{TENANTS.index(tenant) + 3}"


def _template(tenant: str) -> Any:
    """The pod template of a tenant's Deployment."""
    manifests = yaml.load_all((ROOT / f"dist/{tenant}.k8s.yaml").read_text("utf-8"), yaml.CSafeLoader)
    return next(each["spec"]["template"] for each in manifests if each["kind"] == "Deployment")


def _node(name: str, address: str) -> Object:
    addresses = [{"type": "InternalIP", "address": address}]
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"addresses": addresses}}


def _service(key: str, ports: list[tuple[str, int]], selector: dict[str, str] | None) -> Object:
    home, name = key.split("/")
    spec: Object = {
        "ports": [
            {"name": f"{protocol.lower()}-{port}", "protocol": protocol, "port": port} for protocol, port in ports
        ]
    }
    if selector:
        spec["selector"] = selector
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": home, "name": name}, "spec": spec}
