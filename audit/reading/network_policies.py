"""NetworkPolicy, networking.k8s.io/v1."""

from typing import Any, Final

from audit.model.labels import EVERYTHING
from audit.model.place import Path, Place
from audit.model.policies import Action, BlockPeer, NamedPort, Peer, PodPeer, Policy, PortMatch, Ports, Rule, Tier
from audit.reading import checks, policy_schema
from audit.reading.checks import InvalidError

_TYPES: Final = ("Ingress", "Egress")
_LAST_PORT: Final = 65535


def network_policy(data: dict[str, Any], namespace: str, name: str, place: Place) -> Policy:
    """A NetworkPolicy from plain data.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = checks.convert(data.get("spec") or {}, policy_schema.NetworkPolicySpec, ("spec",))
    subject = checks.selector(spec.pod_selector, ("spec", "podSelector"))
    types = _types(spec)
    ingress = [
        _rule(rule.sources, "from", rule.ports, place.at("spec", "ingress", index))
        for index, rule in enumerate(spec.ingress or ())
    ]
    egress = [
        _rule(rule.to, "to", rule.ports, place.at("spec", "egress", index))
        for index, rule in enumerate(spec.egress or ())
    ]
    return Policy(
        kind="NetworkPolicy",
        namespace=namespace,
        name=name,
        tier=Tier.NETWORK,
        priority=0,
        subject=PodPeer(None, subject, with_host_network=True),
        ingress=tuple(ingress) if "Ingress" in types else None,
        egress=tuple(egress) if "Egress" in types else None,
        place=place,
    )


def _types(spec: policy_schema.NetworkPolicySpec) -> set[str]:
    """The directions that a policy restricts; absent or empty, the API server fills them in."""
    for index, given in enumerate(spec.policy_types or ()):
        if given not in _TYPES:
            rule = "A policy type is Ingress or Egress, with a capital letter."
            raise InvalidError(
                ("spec", "policyTypes", index), f"the policy type {checks.shown(given)} does not exist", rule
            )
    if len(spec.policy_types or ()) > len(_TYPES):
        raise InvalidError(
            ("spec", "policyTypes"), "more than two policy types", "Name each of Ingress and Egress once."
        )
    return set(spec.policy_types or (["Ingress", "Egress"] if spec.egress else ["Ingress"]))


def _rule(
    peers: list[policy_schema.NetworkPolicyPeer] | None,
    peer_field: str,
    ports: list[policy_schema.NetworkPolicyPort] | None,
    place: Place,
) -> Rule:
    path = place.path
    return Rule(
        action=Action.ALLOW,
        peers=tuple(_peer(peer, (*path, peer_field, index)) for index, peer in enumerate(peers)) if peers else None,
        ports=tuple(_port(port, (*path, "ports", index)) for index, port in enumerate(ports)) if ports else None,
        place=place,
        peer_field=peer_field,
    )


def _peer(given: policy_schema.NetworkPolicyPeer, path: Path) -> Peer:
    selects = given.pod_selector is not None or given.namespace_selector is not None
    if given.ip_block is not None:
        if selects:
            rule = "Write two entries of the list, one with the ipBlock and one with the selectors."
            raise InvalidError(path, "a peer has an ipBlock and a selector", rule)
        block = checks.block(given.ip_block, (*path, "ipBlock"))
        excepted = ", ".join(given.ip_block.excepted or ())
        written = f"{given.ip_block.cidr} except {excepted}" if excepted else given.ip_block.cidr
        return BlockPeer(block, written, covers_pods=None)
    if not selects:
        rule = "A peer has a podSelector, a namespaceSelector or an ipBlock; 'podSelector: {}' selects all pods."
        raise InvalidError(path, "a peer is empty", rule)
    namespaces = None
    if given.namespace_selector is not None:
        namespaces = checks.selector(given.namespace_selector, (*path, "namespaceSelector"))
    pods = checks.selector(given.pod_selector, (*path, "podSelector")) if given.pod_selector is not None else EVERYTHING
    return PodPeer(namespaces, pods, with_host_network=True)


def _port(given: policy_schema.NetworkPolicyPort, path: Path) -> PortMatch:
    protocol = checks.protocol(given.protocol, (*path, "protocol"))
    if isinstance(given.port, str):
        if given.end_port is not None:
            raise InvalidError((*path, "endPort"), "endPort with a named port", "A range needs a numeric port.")
        return NamedPort(checks.port_name(given.port, (*path, "port")), protocol)
    if given.port is None:
        if given.end_port is not None:
            raise InvalidError((*path, "endPort"), "endPort without port", "A range begins with port.")
        return Ports(protocol)
    if not 1 <= given.port <= _LAST_PORT:
        raise InvalidError((*path, "port"), f"the port {given.port} does not exist", "Ports are 1 to 65535.")
    if given.end_port is None:
        return Ports(protocol, given.port, given.port)
    if not given.port <= given.end_port <= _LAST_PORT:
        rule = f"It is at least the port, {given.port}, and at most 65535."
        raise InvalidError((*path, "endPort"), f"the endPort {given.end_port} is out of range", rule)
    return Ports(protocol, given.port, given.end_port)
