"""Peers and ports of NetworkPolicies.

Namespaces are selected by `kubernetes.io/metadata.name`, which the API server sets and nobody else can change.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Self

from constructs_lib.errors import PropsError
from constructs_lib.platform import Dns
from constructs_lib.platform.validators import check_cidr, check_name
from constructs_lib.refusing import refusing
from constructs_lib.special_purpose_addresses import not_public

HTTPS: Final = 443
_LAST_PORT: Final = 65535


@dataclass(frozen=True)
class NetworkPort:
    """A destination port.

    Args:
        number: port number, 1 to 65535.
        protocol: transport protocol. Default: TCP.
    """

    number: int
    protocol: Literal["TCP", "UDP"] = "TCP"

    def __post_init__(self) -> None:
        if not 1 <= self.number <= _LAST_PORT:
            raise PropsError(f"'number' ({self.number}) must be a port number; choose one from 1 to {_LAST_PORT}")

    def _to_kube(self) -> dict[str, Any]:
        return {"port": self.number, "protocol": self.protocol}


@dataclass(frozen=True)
class NetworkPeer:
    """The other end of a connection. Create one with `own_pods`, `pods`, `namespace` or `network`."""

    _manifest: Mapping[str, Any]

    @classmethod
    def own_pods(cls) -> Self:
        """All pods of the policy's own namespace."""
        return cls({"podSelector": {}})

    @classmethod
    def pods(cls, namespace: str, labels: Mapping[str, str]) -> Self:
        """The pods of another namespace that have all of these labels.

        Args:
            namespace: name of the namespace.
            labels: labels of the pods, at least one.

        Raises:
            PropsError: the namespace is not a DNS label, or there are no labels.
        """
        with refusing("namespace", namespace):
            check_name(namespace)
        if not labels:
            raise PropsError("'labels' ({}) must not be empty, which would select every pod; name the pods' labels")
        # Kustomize's commonLabels adds to every matchLabels of a policy, also where it selects pods of others.
        having = [{"key": key, "operator": "In", "values": [value]} for key, value in labels.items()]
        return cls({"namespaceSelector": _named(namespace), "podSelector": {"matchExpressions": having}})

    @classmethod
    def namespace(cls, namespace: str) -> Self:
        """All pods of another namespace.

        Args:
            namespace: name of the namespace.

        Raises:
            PropsError: the namespace is not a DNS label.
        """
        with refusing("namespace", namespace):
            check_name(namespace)
        return cls({"namespaceSelector": _named(namespace)})

    @classmethod
    def network(cls, cidr: str, *, except_cidrs: Iterable[str] = ()) -> Self:
        """The addresses of a network.

        Args:
            cidr: the network, in CIDR notation, IPv4 or IPv6.
            except_cidrs: networks inside it that do not belong to the peer. Default: none.

        Raises:
            PropsError: a network is not valid, or it is the whole address space without exceptions.
        """
        excluded = list(except_cidrs)
        for each in (cidr, *excluded):
            with refusing("cidr", each):
                check_cidr(each)
        if not excluded and ipaddress.ip_network(cidr).prefixlen == 0:
            raise PropsError(f"'cidr' ({cidr}) must not be the whole address space; name the network")
        return cls({"ipBlock": {"cidr": cidr, **({"except": excluded} if excluded else {})}})

    def _to_kube(self) -> dict[str, Any]:
        return dict(self._manifest)


def _named(namespace: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


@cache
def public_addresses(except_cidrs: tuple[str, ...] = ()) -> tuple[NetworkPeer, NetworkPeer]:
    """Every public address, IPv4 and IPv6, without `except_cidrs`."""
    more = [ipaddress.ip_network(cidr) for cidr in except_cidrs]

    def peer(everything: str, version: int) -> NetworkPeer:
        own = (str(each) for each in more if each.version == version)
        return NetworkPeer.network(everything, except_cidrs=[*not_public(version), *own])

    return peer("0.0.0.0/0", 4), peer("::/0", 6)


def dns_servers(dns: Dns) -> list[NetworkPeer]:
    """The DNS servers, and what a node-local cache answers from."""
    labels = [dns.pod_labels, *([dns.cache_pod_labels] if dns.cache_pod_labels else [])]
    pods = [NetworkPeer.pods(dns.namespace, each) for each in labels]
    return [*pods, *(NetworkPeer.network(cidr) for cidr in dns.addresses)]


def policy_spec(
    *,
    ports: Sequence[NetworkPort] = (),
    ingress: Sequence[NetworkPeer] | None = None,
    egress: Sequence[NetworkPeer] | None = None,
) -> dict[str, Any]:
    """`spec` of a NetworkPolicy for all pods of its namespace.

    Args:
        ports: the ports that the peers are allowed to use, or that they may be reached at.
        ingress: peers that may connect to the pods; an empty sequence denies all ingress, None leaves it unchanged.
        egress: peers that the pods may connect to; an empty sequence denies all egress, None leaves it unchanged.
    """
    allowed = [each._to_kube() for each in ports]  # noqa: SLF001 - conversion stays inside this module
    spec: dict[str, Any] = {}
    if egress:
        spec["egress"] = [{"ports": allowed, "to": [each._to_kube() for each in egress]}]  # noqa: SLF001
    if ingress:
        spec["ingress"] = [{"from": [each._to_kube() for each in ingress], "ports": allowed}]  # noqa: SLF001
    types = [kind for kind, peers in (("Ingress", ingress), ("Egress", egress)) if peers is not None]
    return {**spec, "podSelector": {}, "policyTypes": types}
