"""NetworkPolicy: rules of all policies that select a pod, "combined additively"."""

from itertools import combinations

from tests.audit.reference.addresses import blocks_cover
from tests.audit.reference.objects import (
    Assumptions,
    ClusterObjects,
    Connection,
    Endpoint,
    Object,
    Pod,
    Side,
    namespace_of,
    selects,
)
from tests.audit.reference.ports import in_network_policy
from tests.audit.reference.trilean import Trilean, all_of, any_of


def decisions(
    cluster: ClusterObjects, assumptions: Assumptions, connection: Connection, side: Side
) -> set[bool | None]:
    """What the tier may decide: allowed, or not, or (None) nothing, since no policy selects the subject.

    Where it is not known of some policies whether they select the subject, every combination of them is possible.
    """
    subject, peer = connection.subject(side), connection.peer(side)
    if isinstance(subject, str):
        raise TypeError(subject)
    selecting = [
        (policy, selected)
        for policy in cluster.of_kind("NetworkPolicy")
        if side in directions(policy["spec"]) and (selected := _is_subject(policy, subject)) is not False
    ]
    certain = [policy for policy, selected in selecting if selected]
    doubtful = [policy for policy, selected in selecting if not selected]
    possible: set[bool | None] = set()
    for number in range(len(doubtful) + 1):
        for some in combinations(doubtful, number):
            possible |= _decision([*certain, *some], connection, side, assumptions)
    if False in possible and isinstance(peer, Pod) and peer.host_network and not subject.host_network:
        possible.add(True)  # "traffic to and from the node where a Pod is running is always allowed"
    return possible


def _decision(policies: list[Object], connection: Connection, side: Side, assumptions: Assumptions) -> set[bool | None]:
    """What follows from the policies that select the subject: allowed if "at least one rule across all" allows."""
    if not policies:
        return {None}
    allowed = any_of(
        _rule(rule, policy, connection, side, assumptions)
        for policy in policies
        for rule in policy["spec"].get(side) or []
    )
    return {True, False} if allowed is None else {allowed}


def directions(spec: Object) -> set[str]:
    """policyTypes; where not specified, Ingress always and Egress where the policy "has any egress rules"."""
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return {each.lower() for each in types}


def _is_subject(policy: Object, pod: Pod) -> Trilean:
    """Whether the policy applies: an empty or absent selector "matches all pods in the policy's namespace"."""
    if namespace_of(policy) != pod.namespace:
        return False
    selected = selects(policy["spec"].get("podSelector") or {}, pod.labels)
    return _unless_host_network(selected, pod)


def _rule(rule: Object, policy: Object, connection: Connection, side: Side, assumptions: Assumptions) -> Trilean:
    """Whether a rule allows: "traffic must match both ports and from"; an empty or missing list matches all."""
    peers, ports = rule.get("from" if side == "ingress" else "to") or [], rule.get("ports") or []
    return all_of(
        [
            any_of(_peer(each, policy, connection.peer(side), assumptions) for each in peers) if peers else True,
            any_of(in_network_policy(each, connection) for each in ports) if ports else True,
        ]
    )


def _peer(peer: Object, policy: Object, other: Endpoint, assumptions: Assumptions) -> Trilean:
    """Whether a peer is the other end: a block, or pods of the policy's namespace or of the selected ones."""
    if (block := peer.get("ipBlock")) is not None:
        covered = blocks_cover(other, [block["cidr"]], block.get("except") or [], assumptions.pod_cidrs)
        return covered if isinstance(other, str) else all_of([covered, assumptions.ip_blocks_cover_pods])
    if isinstance(other, str):
        return False
    own, namespaces = other.namespace == namespace_of(policy), peer.get("namespaceSelector")
    matched = all_of(
        [
            own if namespaces is None else selects(namespaces, other.namespace_labels),
            selects(peer.get("podSelector") or {}, other.labels),
        ]
    )
    return _unless_host_network(matched, other)


def _unless_host_network(matched: Trilean, pod: Pod) -> Trilean:
    """For hostNetwork pods behaviour "is undefined": a plugin applies policies to them, or ignores them."""
    return all_of([matched, None]) if pod.host_network else matched
