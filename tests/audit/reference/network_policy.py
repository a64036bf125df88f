"""NetworkPolicy: rules of all policies that select a pod, "combined additively"."""

from tests.audit.reference.addresses import block_covers
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


def allows(
    cluster: ClusterObjects, assumptions: Assumptions, connection: Connection, side: Side
) -> tuple[Trilean, Trilean]:
    """Whether some policy isolates the subject in this direction, and whether some rule then allows the connection."""
    subject, peer = connection.subject(side), connection.peer(side)
    if isinstance(subject, str):
        raise TypeError(subject)
    selecting = [
        (policy, selected)
        for policy in cluster.of_kind("NetworkPolicy")
        if side in _directions(policy["spec"]) and (selected := _is_subject(policy, subject)) is not False
    ]
    isolated = any_of(selected for _, selected in selecting)
    allowed = any_of(
        all_of([selected, _rule(rule, policy, connection, side, assumptions)])
        for policy, selected in selecting
        for rule in policy["spec"].get(side) or []
    )
    if subject.host_network or (isinstance(peer, Pod) and peer.host_network):
        allowed = any_of([allowed, None])  # "traffic to and from the node where a Pod is running is always allowed"
    return isolated, allowed


def _directions(spec: Object) -> set[str]:
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
        covered = block_covers(other, block["cidr"], block.get("except") or [], assumptions.pod_cidrs)
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
