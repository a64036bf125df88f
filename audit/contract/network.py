"""The network part of a contract: every rule of a policy is covered by what the contract allows, one side at a time."""

import ipaddress
from collections.abc import Iterator, Sequence
from functools import lru_cache

from audit.changes.openings import Opening, openings, peer_text, ports_text, subject
from audit.contract.document import Contract, Tenant, Traffic
from audit.model.addresses import Addresses
from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.model.labels import EVERYTHING, NAMESPACE_NAME, Requirement
from audit.model.policies import BlockPeer, Direction, NamedPort, NamePeer, Peer, PodPeer, PortMatch
from audit.model.truth import NO

_FIX = "Narrow the rule, or allow the traffic in the contract."


def network_findings(contract: Contract, inventory: Inventory) -> Iterator[Finding]:
    """Rules that allow more than the contract, and policies that the audit does not evaluate."""
    tenants = {space: tenant for tenant in contract.spec.tenants for space in tenant.spaces}
    for opening in openings(inventory):
        for space, tenant in _concerned(opening, tenants, inventory):
            state = _state(opening, tenant, contract, inventory)
            if state is None:
                continue
            verb = "be reached by" if opening.direction is Direction.INGRESS else "reach"
            what = f"{verb} {peer_text(opening.peer, space)} on {ports_text(opening.ports)}"
            yield finding(
                opening.place,
                rule=f"network-{opening.direction}",
                severity=Severity.HIGH if opening.peer is not None else Severity.CRITICAL,
                namespace=space,
                subject=f"{subject(opening.policy)}, by {opening.policy}",
                message=f"they may {what}, which the contract does not allow",
                fix=_FIX,
                state=state,
            )
    for each in inventory.opaque:
        for space in [each.namespace] if each.namespace else list(tenants):
            if space in tenants:
                yield finding(
                    each.place,
                    rule="network-not-evaluated",
                    severity=Severity.HIGH,
                    namespace=space,
                    subject=str(each),
                    message=f"it may decide traffic of the tenant, and {each.reason}",
                    fix="Check it by hand, and waive the finding.",
                    state=State.UNDECIDED,
                )


def connects(tenant: Tenant, other: Tenant) -> bool:
    """Whether a contract lets a tenant connect to another one, on some port."""
    out = any(each.peer.namespace in other.spaces for each in tenant.egress)
    return out and any(each.peer.namespace in tenant.spaces for each in other.ingress)


def _concerned(opening: Opening, tenants: dict[str, Tenant], inventory: Inventory) -> Iterator[tuple[str, Tenant]]:
    """The tenants whose pods a policy selects, or may select."""
    policy = opening.policy
    if policy.namespace is not None:
        if policy.namespace in tenants:
            yield policy.namespace, tenants[policy.namespace]
        return
    for space, tenant in tenants.items():
        namespace = inventory.namespaces.get(space)
        selector = policy.subject.namespaces
        if namespace is None or selector is None or selector.matches(namespace.labels) is not NO:
            yield space, tenant


def _state(opening: Opening, tenant: Tenant, contract: Contract, inventory: Inventory) -> State | None:
    """Whether a rule allows more than the contract; None where it does not."""
    ingress = opening.direction is Direction.INGRESS
    own, common = (tenant.ingress, contract.spec.ingress) if ingress else (tenant.egress, contract.spec.egress)
    found = [
        _port_state(opening, tenant, [each for each in (*own, *common) if _covers(each.ports, port)], inventory)
        for port in ((None,) if opening.ports is None else opening.ports)
    ]
    return next((state for state in (State.VIOLATION, State.UNDECIDED) if state in found), None)


def _port_state(opening: Opening, tenant: Tenant, allowed: Sequence[Traffic], inventory: Inventory) -> State | None:
    """The same for one port of a rule, given what the contract allows on it."""
    peer = opening.peer
    if isinstance(peer, PodPeer):
        return _pods_state(peer, tenant, allowed, inventory, opening)
    if isinstance(peer, BlockPeer):
        return None if not peer.block & ~_addresses(tuple(_blocks(allowed))) else State.VIOLATION
    return State.UNDECIDED if isinstance(peer, NamePeer) else State.VIOLATION


def _pods_state(
    peer: PodPeer, tenant: Tenant, allowed: Sequence[Traffic], inventory: Inventory, opening: Opening
) -> State | None:
    spaces = _named(peer)
    if peer.namespaces is None:
        return None if opening.policy.namespace in tenant.spaces else State.VIOLATION
    if spaces is not None:
        rest = [space for space in spaces if not (space in tenant.spaces or _pods_covered(peer, space, allowed))]
        return State.VIOLATION if rest else None
    matched = [
        each for each in inventory.namespaces.values() if each.place and peer.namespaces.matches(each.labels) is not NO
    ]
    if any(not (each.name in tenant.spaces or _pods_covered(peer, each.name, allowed)) for each in matched):
        return State.VIOLATION
    # By other labels than the name: which namespaces have them is not known.
    return State.VIOLATION if peer.namespaces == EVERYTHING else State.UNDECIDED


def _named(peer: Peer) -> list[str] | None:
    """The namespaces that a peer means by their names, or None where it means them otherwise."""
    if isinstance(peer, PodPeer) and peer.namespaces is not None:
        for each in peer.namespaces.requirements:
            if each.key == NAMESPACE_NAME and each.operator == "In":
                return sorted(each.values)
    return None


def _pods_covered(peer: PodPeer, space: str, allowed: Sequence[Traffic]) -> bool:
    """Whether what is allowed includes the pods of a namespace that a peer means."""
    for each in allowed:
        wanted = [Requirement(key, "In", frozenset({value})) for key, value in each.peer.pod_labels.items()]
        if each.peer.namespace == space and all(label in peer.pods.requirements for label in wanted):
            return True
    return False


def _blocks(allowed: Sequence[Traffic]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The addresses of allowed traffic, as CIDR and exceptions."""
    for each in allowed:
        if each.peer.cidr is not None:
            yield each.peer.cidr, tuple(each.peer.except_cidrs)


@lru_cache(maxsize=4096)
def _addresses(blocks: tuple[tuple[str, tuple[str, ...]], ...]) -> Addresses:
    found = Addresses()
    for cidr, excepted in blocks:
        block = Addresses.of(ipaddress.ip_network(cidr, strict=False))
        for each in excepted:
            block &= ~Addresses.of(ipaddress.ip_network(each, strict=False))
        found |= block
    return found


def _covers(allowed: Sequence[str] | None, port: PortMatch | None) -> bool:
    """Whether a port of a rule, or every port (None), is allowed."""
    return allowed is None or (port is not None and any(_port_covered(port, each) for each in allowed))


def _port_covered(port: PortMatch, allowed: str) -> bool:
    protocol, _, name = allowed.partition("/")
    if isinstance(port, NamedPort):
        return port.name == name and port.protocol in {None, protocol}
    return name.isdecimal() and port.protocol == protocol and port.low == port.high == int(name)
