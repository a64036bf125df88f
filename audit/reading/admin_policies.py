"""AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2, v1beta1)."""

from collections.abc import Iterator
from typing import Any, Final

from audit.model.addresses import Addresses
from audit.model.labels import EVERYTHING
from audit.model.place import Path, Place
from audit.model.policies import (
    Action,
    BlockPeer,
    NamedPort,
    NamePeer,
    NodePeer,
    Peer,
    PodPeer,
    Policy,
    PortMatch,
    Ports,
    Rule,
    Tier,
)
from audit.reading import checks, policy_schema
from audit.reading.checks import InvalidError

_ACTIONS: Final = {
    "AdminNetworkPolicy": {"Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS},
    "BaselineAdminNetworkPolicy": {"Allow": Action.ALLOW, "Deny": Action.DENY},
    "ClusterNetworkPolicy": {"Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS},
}
_MOST_CLUSTER_RULES: Final = 25


def admin_policy(kind: str, data: dict[str, Any], name: str, place: Place) -> Policy:
    """A policy of one of the three kinds from plain data.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = checks.convert(data.get("spec") or {}, policy_schema.AdminPolicySpec, ("spec",))
    tier = _tier(kind, spec, name)
    subject = spec.subject
    peers = list(_pod_peers(subject.namespaces, subject.pods, ("spec", "subject")))
    if len(peers) != 1:
        rule = "A subject has exactly one of namespaces and pods."
        raise InvalidError(("spec", "subject"), "the subject is not one of namespaces and pods", rule)
    return Policy(
        kind=kind,
        namespace=None,
        name=name,
        tier=tier,
        priority=spec.priority or 0,
        subject=peers[0],
        ingress=_rules(kind, spec.ingress, "from", place.at("spec", "ingress")),
        egress=_rules(kind, spec.egress, "to", place.at("spec", "egress")),
        place=place,
    )


def _tier(kind: str, spec: policy_schema.AdminPolicySpec, name: str) -> Tier:
    """The tier; kinds differ in which of tier and priority they have."""
    if kind == "BaselineAdminNetworkPolicy":
        if name != "default":
            rule = "The only BaselineAdminNetworkPolicy of a cluster is named default."
            raise InvalidError(("metadata", "name"), f"the name {checks.shown(name)} is not allowed", rule)
        if spec.priority is not None or spec.tier is not None:
            raise InvalidError(("spec",), "unknown field priority or tier", "This kind has neither: remove it.")
        return Tier.BASELINE
    if spec.priority is None:
        raise InvalidError(("spec",), "priority is missing", "Give a number from 0 (first) to 1000.")
    if kind == "AdminNetworkPolicy":
        if spec.tier is not None:
            raise InvalidError(("spec", "tier"), "unknown field spec.tier", "This kind has no tier: remove it.")
        return Tier.ADMIN
    if spec.tier not in {"Admin", "Baseline"}:
        raise InvalidError(("spec",), f"the tier {checks.shown(spec.tier)} does not exist", "It is Admin or Baseline.")
    return Tier.ADMIN if spec.tier == "Admin" else Tier.BASELINE


def _rules(
    kind: str, given: list[policy_schema.AdminRule] | None, peer_field: str, place: Place
) -> tuple[Rule, ...] | None:
    if not given:
        return None
    if kind == "ClusterNetworkPolicy" and len(given) > _MOST_CLUSTER_RULES:
        rule = f"A direction has at most {_MOST_CLUSTER_RULES} rules: split the policy."
        raise InvalidError(place.path, f"{len(given)} rules", rule)
    return tuple(_rule(kind, rule, peer_field, place.at(index)) for index, rule in enumerate(given))


def _rule(kind: str, given: policy_schema.AdminRule, peer_field: str, place: Place) -> Rule:
    path = place.path
    actions = _ACTIONS[kind]
    if given.action not in actions:
        rule = f"It is one of {', '.join(actions)}."
        raise InvalidError((*path, "action"), f"the action {checks.shown(given.action)} does not exist", rule)
    peers, other = (given.sources, given.to) if peer_field == "from" else (given.to, given.sources)
    if peers is None or other is not None:
        raise InvalidError(
            path, f"the rule has no {peer_field}", f"A rule of this direction lists its peers in '{peer_field}'."
        )
    port_field = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    if getattr(given, "ports" if port_field == "protocols" else "protocols") is not None:
        raise InvalidError(
            path, f"the rule has a field that {kind} does not have", f"It lists ports in '{port_field}'."
        )
    ports = tuple(_ports(given, path)) or None
    found = tuple(
        peer for index, each in enumerate(peers) for peer in _peers(each, peer_field, (*path, peer_field, index))
    )
    if any(not isinstance(peer, PodPeer) for peer in found) and any(
        isinstance(port, NamedPort) for port in ports or ()
    ):
        rule = "Only pods have named ports: write the number, or a rule of its own for each kind of peer."
        raise InvalidError(path, "a named port with networks, nodes or domainNames", rule)
    if actions[given.action] is not Action.ALLOW and any(isinstance(peer, NamePeer) for peer in found):
        raise InvalidError(path, f"domainNames in a rule that says {given.action}", "Only rules that allow have them.")
    return Rule(actions[given.action], found, ports, place, peer_field, port_field)


def _pod_peers(
    namespaces: policy_schema.LabelSelector | None, pods: policy_schema.NamespacedPod | None, path: Path
) -> Iterator[PodPeer]:
    if namespaces is not None:
        yield PodPeer(checks.selector(namespaces, (*path, "namespaces")), EVERYTHING, with_host_network=False)
    if pods is not None:
        yield PodPeer(
            checks.selector(pods.namespace_selector, (*path, "pods", "namespaceSelector")),
            checks.selector(pods.pod_selector, (*path, "pods", "podSelector")),
            with_host_network=False,
        )


def _peers(given: policy_schema.AdminPeer, peer_field: str, path: Path) -> Iterator[Peer]:
    """The peers of an entry, which has exactly one field."""
    fields = (given.namespaces, given.pods, given.nodes, given.networks, given.domain_names)
    if sum(field is not None for field in fields) != 1:
        raise InvalidError(path, "a peer does not have exactly one field", "Write one entry of the list for each.")
    if peer_field == "from" and given.namespaces is None and given.pods is None:
        raise InvalidError(path, "an ingress peer is neither namespaces nor pods", "Ingress rules have only these.")
    yield from _pod_peers(given.namespaces, given.pods, path)
    if given.nodes is not None:
        yield NodePeer(checks.selector(given.nodes, (*path, "nodes")))
    if given.networks is not None:
        block = Addresses()
        for index, text in enumerate(given.networks):
            network = checks.network(text, (*path, "networks", index))
            if str(network) != text and network.version == 4:  # noqa: PLR2004 - the IP version
                rule = f"Bits beyond the prefix are 0: write {network}."
                raise InvalidError((*path, "networks", index), f"{text} is not a network", rule)
            block |= Addresses.of(network)
        yield BlockPeer(block, ", ".join(given.networks), covers_pods=True)
    if given.domain_names is not None:
        yield NamePeer(tuple(given.domain_names))


def _ports(given: policy_schema.AdminRule, path: Path) -> Iterator[PortMatch]:
    for index, port in enumerate(given.ports or ()):
        where = (*path, "ports", index)
        if sum(field is not None for field in (port.port_number, port.port_range, port.named_port)) != 1:
            rule = "It has exactly one of portNumber, portRange and namedPort."
            raise InvalidError(where, "a port does not have exactly one field", rule)
        if port.port_number is not None:
            protocol = checks.protocol(port.port_number.protocol, (*where, "portNumber", "protocol"))
            yield Ports(protocol, port.port_number.port, port.port_number.port)
        elif port.port_range is not None:
            protocol = checks.protocol(port.port_range.protocol, (*where, "portRange", "protocol"))
            yield _range(protocol, port.port_range.start, port.port_range.end, (*where, "portRange"))
        elif port.named_port is not None:
            yield NamedPort(port.named_port, None)
    for index, entry in enumerate(given.protocols or ()):
        yield _protocol(entry, (*path, "protocols", index))


def _protocol(given: policy_schema.Protocol, path: Path) -> PortMatch:
    found = {"TCP": given.tcp, "UDP": given.udp, "SCTP": given.sctp}
    named = [name for name, ports in found.items() if ports is not None]
    if len(named) + (given.destination_named_port is not None) != 1:
        rule = "It has exactly one of tcp, udp, sctp and destinationNamedPort."
        raise InvalidError(path, "a protocol does not have exactly one field", rule)
    if given.destination_named_port is not None:
        return NamedPort(given.destination_named_port, None)
    ports = found[named[0]]
    port = ports.destination_port if ports else None
    if port is None:
        raise InvalidError(path, f"{named[0].lower()} has no destinationPort", "Give a number or a range.")
    if (port.number is None) == (port.range is None):
        rule = "It has exactly one of number and range."
        raise InvalidError(path, "a destinationPort does not have exactly one field", rule)
    if port.number is not None:
        return Ports(named[0], port.number, port.number)
    assert port.range is not None  # noqa: S101 - one of the two is there
    return _range(named[0], port.range.start, port.range.end, path)


def _range(protocol: str, start: int, end: int, path: Path) -> Ports:
    if start >= end:
        raise InvalidError(path, f"the range {start} to {end} is empty", "The start is less than the end.")
    return Ports(protocol, start, end)
