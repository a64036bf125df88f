"""Network policies that select nothing, and rules about nothing."""

from collections.abc import Iterable, Iterator

from audit.model.finding import Finding
from audit.model.labels import EVERYTHING
from audit.model.pods import Workload
from audit.model.policies import Direction, NamedPort, PodPeer, Rule
from audit.model.truth import NO
from audit.wiring.view import Named, View, broken


def broken_policies(view: View) -> Iterator[Finding]:
    """NetworkPolicies without pods, peers that match no pod, and named ports that no pod has."""
    for policy in view.inventory.policies:
        if policy.namespace is None or not view.workloads.get(policy.namespace):
            continue
        of = Named(policy.namespace, f"NetworkPolicy {policy.namespace}/{policy.name}")
        pods = list(view.selected(policy.namespace, policy.subject.pods))
        if not pods and policy.subject.pods != EVERYTHING:
            message = f"it selects no pod: no workload of the namespace has the labels {policy.subject.pods}"
            yield broken(
                policy.place.at("spec", "podSelector"), "policy-without-pods", of, message, "Correct the selector."
            )
        for direction in Direction:
            for rule in policy.rules(direction) or ():
                yield from _rule(view, rule, direction, of, pods)


def _rule(view: View, rule: Rule, direction: Direction, of: Named, pods: list[Workload]) -> Iterator[Finding]:
    for index, peer in enumerate(rule.peers or ()):
        if isinstance(peer, PodPeer) and not _matched(view, of.namespace, peer):
            where = f"in namespaces with {peer.namespaces}" if peer.namespaces else "in the policy's namespace"
            message = f"its {rule.peer_field} matches no pod: no workload {where} has the labels {peer.pods}"
            place = rule.place.at(rule.peer_field, index)
            yield broken(place, "peer-without-pods", of, message, "Correct the selectors, or remove the peer.")
    for index, port in enumerate(rule.ports or ()):
        ends = pods if direction is Direction.INGRESS else view.inventory.workloads
        if isinstance(port, NamedPort) and pods and not _has_port(ends, port):
            message = f"no container {'of its pods ' if ends is pods else ''}has a port named {port.name}"
            yield broken(rule.place.at(rule.port_field, index), "policy-without-port", of, message, "Correct the name.")


def _matched(view: View, namespace: str, peer: PodPeer) -> bool:
    """Whether a peer matches a pod, or may match one that the input does not hold."""
    if peer.namespaces is None:
        return peer.pods == EVERYTHING or any(view.selected(namespace, peer.pods))
    names = [each.name for each in view.inventory.namespaces.values() if peer.namespaces.matches(each.labels) is not NO]
    # A namespace without workloads is filled by somebody else.
    return any(not view.workloads.get(name) or any(view.selected(name, peer.pods)) for name in names) or not names


def _has_port(workloads: Iterable[Workload], port: NamedPort) -> bool:
    return any(pods.named(port.name, port.protocol) for each in workloads for pods in each.pods)
