"""IsolatedTenants with few and with all props, for the tests of their objects."""

import ipaddress
from typing import Any

from constructs_lib import IsolatedTenant, IsolatedTenantProps
from constructs_lib.platform import Client, Dns, Gateway, Members, ModelStore, Monitoring, Network, Pods
from constructs_lib.platform.sidecars import SidecarLimits, SidecarRequests, Sidecars
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout
from tests.kube import Object, make_chart, objects_of

MINIMAL = IsolatedTenantProps(name="tenant-a")
ALL = IsolatedTenantProps(
    name="tenant-x",
    resources=Resources.model_validate(
        {
            "requests": {"cpu": "0.5", "memory": "1Gi", "ephemeralStorage": "256Mi"},
            "limits": {"cpu": "1", "memory": "2Gi", "ephemeralStorage": "1Gi"},
        }
    ),
    autoscaling=Autoscaling(min_replicas=1, max_replicas=3),
    sidecars=Sidecars(
        requests=SidecarRequests(cpu="50m", memory="64Mi"), limits=SidecarLimits(cpu="2", memory="128Mi")
    ),
    rollout=Rollout(surge=2),
    quota=Quota(headroom_pods=1, pods=30),
    egress=(Egress(cidr="192.0.2.0/24", port=5432), Egress(cidr="2001:db8:9::/48", port=514, protocol="UDP")),
    monitoring=Monitoring(namespace="observability", prometheus_labels={"prometheus": "main"}),
    model_store=ModelStore(endpoint="https://s3.store.svc:9443", namespace="store", pod_labels={"app": "store"}),
    dns=Dns(namespace="names", pod_labels={"dns": "yes"}),
    network=Network(except_cidrs=("203.0.113.0/24", "2001:db8:1::/48")),
    clients=(Client(namespace="web", pod_labels={"app": "shop"}), Client(namespace="tenant-y")),
    gateway=Gateway(
        name="public",
        namespace="gateway",
        pod_namespace="envoy",
        pod_labels={"app": "envoy"},
        domain="example.com",
    ),
    shared_with=("tenant-y",),
    members=Members(groups=("team-x",)),
    pods=Pods(fixed_user=False),
    baseline=True,
)


def synth(props: IsolatedTenantProps) -> list[Object]:
    chart = make_chart()
    IsolatedTenant(chart, "tenant", props)
    return objects_of(chart)


def policies(objects: list[Object]) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "NetworkPolicy"}


def pods_peer(namespace: str, labels: dict[str, str]) -> Object:
    having = [{"key": key, "operator": "In", "values": [value]} for key, value in labels.items()]
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchExpressions": having},
    }


def within(peers: list[Object], address: str) -> bool:
    """Whether ipBlocks let an address through, as Kubernetes reads them."""
    ip = ipaddress.ip_address(address)
    return any(
        ip in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        and not any(ip in ipaddress.ip_network(each) for each in peer["ipBlock"].get("except", ()))
        for peer in peers
    )
