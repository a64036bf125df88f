"""Who may talk to whom, by the NetworkPolicies: enough of Kubernetes' rules for a picture of ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as policies see it, or an address outside when `address` is given."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None


def allowed(policies: Sequence[Policy], source: Pod, target: Pod, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is let out by the source's policies and in by the target's."""
    return all(
        pod.address is not None or _one_way(policies, pod, other, direction, (port, protocol))
        for pod, other, direction in ((source, target, "Egress"), (target, source, "Ingress"))
    )


def _one_way(policies: Iterable[Policy], pod: Pod, other: Pod, direction: str, port: tuple[int, str]) -> bool:
    """Policies that select a pod are added up; a pod that none selects is open."""
    selecting = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"].get("policyTypes", ["Ingress"])
        and _matches(policy["spec"]["podSelector"], pod.labels)
    ]
    peers = "to" if direction == "Egress" else "from"
    return not selecting or any(
        _port_matches(rule, *port) and _peer_matches(rule.get(peers), pod, other)
        for spec in selecting
        for rule in spec.get(direction.lower()) or ()
    )


def _port_matches(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        each.get("protocol", "TCP") == protocol and each.get("port", port) == port for each in ports
    )


def _peer_matches(peers: Sequence[Mapping[str, Any]] | None, pod: Pod, other: Pod) -> bool:
    return not peers or any(_is_peer(peer, pod, other) for peer in peers)


def _is_peer(peer: Mapping[str, Any], pod: Pod, other: Pod) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return other.address is not None and _within(other.address, block["cidr"], block.get("except", ()))
    if other.address is not None:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": other.namespace, **other.namespace_labels}
        same = _matches(peer["namespaceSelector"], labels)
    else:
        same = other.namespace == pod.namespace
    return same and _matches(peer.get("podSelector", {}), other.labels)


def _within(address: str, cidr: str, without: Iterable[str]) -> bool:
    where = ip_address(address)
    return where in ip_network(cidr) and not any(where in ip_network(each) for each in without)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if selector.get("matchExpressions"):
        raise ValueError(f"a selector by matchExpressions is more than the picture can read: {selector}")
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
