"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy: ordered rules with an action each."""

from itertools import groupby
from typing import Final

from tests.audit.reference.addresses import blocks_cover
from tests.audit.reference.objects import Assumptions, ClusterObjects, Connection, Endpoint, Object, Side, selects
from tests.audit.reference.ports import in_admin_policy
from tests.audit.reference.trilean import Trilean, all_of, any_of

PASS: Final = "Pass"  # noqa: S105 - an action
"""Also the action where no rule matches: evaluation goes on in the next tier."""


class TierPolicies:
    """The policies of one tier, Admin or Baseline."""

    def __init__(self, cluster: ClusterObjects, tier: str, assumptions: Assumptions) -> None:
        kinds = {"Admin": "AdminNetworkPolicy", "Baseline": "BaselineAdminNetworkPolicy"}
        of_tier = [each for each in cluster.of_kind("ClusterNetworkPolicy") if each["spec"]["tier"] == tier]
        self._policies = sorted([*cluster.of_kind(kinds[tier]), *of_tier], key=_priority)
        self._assumptions = assumptions

    def actions(self, connection: Connection, side: Side) -> set[str]:
        """Which actions the tier may take: "lower priority values have higher precedence".

        Of policies with one priority "the implementation can apply any of the matching policies".
        """
        possible: set[str] = set()
        for _, equals in groupby(self._policies, key=_priority):
            first = [self._first_action(policy["spec"], connection, side) for policy in equals]
            possible |= {action for each in first for action in each if action is not None}
            if any(None not in each for each in first):
                return possible
        return possible | {PASS}

    def _first_action(self, spec: Object, connection: Connection, side: Side) -> set[str | None]:
        """Action of the first rule that matches ("a rule at the top" has the highest precedence), None without one."""
        applies = _is_selected(spec["subject"], connection.subject(side))
        possible: set[str | None] = set() if applies else {None}
        for rule in (spec.get(side) or []) if applies is not False else []:
            matched = self._rule(rule, connection, side)
            if matched is not False:
                possible.add(rule["action"])
            if matched is True:
                return possible
        return possible | {None}

    def _rule(self, rule: Object, connection: Connection, side: Side) -> Trilean:
        """Whether a rule matches: any peer, and any port where ports are set."""
        ports = rule.get("ports") or rule.get("protocols")
        return all_of(
            [
                any_of(self._peer(each, connection.peer(side)) for each in rule["from" if side == "ingress" else "to"]),
                any_of(in_admin_policy(each, connection) for each in ports) if ports else True,
            ]
        )

    def _peer(self, peer: Object, other: Endpoint) -> Trilean:
        if "networks" in peer:  # "cluster-internal traffic will be checked against the rule as well"
            return blocks_cover(other, peer["networks"], [], self._assumptions.pod_cidrs)
        return _is_selected(peer, other)


def _is_selected(selector: Object, pod: Endpoint) -> Trilean:
    """A subject or a peer by `namespaces` or by `pods`: "host-networked pods are not included"."""
    if isinstance(pod, str) or pod.host_network:
        return False
    if "namespaces" in selector:
        return selects(selector["namespaces"], pod.namespace_labels)
    pods = selector["pods"]
    return all_of([selects(pods["namespaceSelector"], pod.namespace_labels), selects(pods["podSelector"], pod.labels)])


def _priority(policy: Object) -> int:
    return int(policy["spec"].get("priority", 0))  # a BaselineAdminNetworkPolicy has none: a cluster has one of them
