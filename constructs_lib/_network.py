"""NetworkPolicies in the shapes that a tenant's walls are made of.

Namespaces are selected by `kubernetes.io/metadata.name`, which the API server sets: a label that a tenant may set would
be a key to its neighbour's door.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cdk8s_plus_28 import k8s

from constructs_lib._kube import int_or_string

PRIVATE_IPV4: Final = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private; pods and services of most clusters
    "100.64.0.0/10",  # shared: carrier-grade NAT, some clouds' pods and metadata services
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local: metadata services
    "172.16.0.0/12",  # private
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks; some meshes' internal addresses
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
)
PRIVATE_IPV6: Final = (
    "::/127",  # unspecified and loopback
    "64:ff9b::/96",  # NAT64: IPv4, private addresses too, in IPv6's clothes
    "fc00::/7",  # unique local; pods and services of most clusters
    "fe80::/10",  # link-local
    "ff00::/8",  # multicast
)
HTTPS: Final = 443


def ports(*numbers: int, protocols: Sequence[str] = ("TCP",)) -> list[k8s.NetworkPolicyPort]:
    """Each port number in each protocol."""
    return [
        k8s.NetworkPolicyPort(port=int_or_string(number), protocol=protocol)
        for number in numbers
        for protocol in protocols
    ]


def own_pods() -> k8s.NetworkPolicyPeer:
    """All pods of the policy's own namespace."""
    return k8s.NetworkPolicyPeer(pod_selector=k8s.LabelSelector())


def pods_of(namespace: str, labels: Mapping[str, str]) -> k8s.NetworkPolicyPeer:
    """Pods of another namespace that carry all of `labels`."""
    return k8s.NetworkPolicyPeer(
        namespace_selector=k8s.LabelSelector(match_labels={"kubernetes.io/metadata.name": namespace}),
        pod_selector=k8s.LabelSelector(match_labels=dict(labels)),
    )


def network(cidr: str) -> k8s.NetworkPolicyPeer:
    """The addresses of a network."""
    return k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr))


def world(except_cidrs: Iterable[str] = ()) -> list[k8s.NetworkPolicyPeer]:
    """Every public address, IPv4 and IPv6, without `except_cidrs`."""
    more = [ipaddress.ip_network(cidr) for cidr in except_cidrs]
    ipv4 = [*PRIVATE_IPV4, *(str(each) for each in more if each.version == 4)]  # noqa: PLR2004 - IP's version
    ipv6 = [*PRIVATE_IPV6, *(str(each) for each in more if each.version == 6)]  # noqa: PLR2004 - IP's version
    return [
        k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr="0.0.0.0/0", except_=ipv4)),
        k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr="::/0", except_=ipv6)),
    ]
