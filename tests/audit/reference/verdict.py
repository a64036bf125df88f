"""The verdict: three tiers at each end of a connection, Admin, NetworkPolicy and Baseline."""

from collections.abc import Iterable
from typing import Final, Literal

from tests.audit.reference.admin_policy import PASS, TierPolicies
from tests.audit.reference.network_policy import decisions
from tests.audit.reference.objects import Assumptions, ClusterObjects, Connection, Object, Pod, Side

Verdict = Literal["allowed", "denied", "unknown"]
_FINAL: Final = {"Allow": True, "Accept": True, "Deny": False}


class Reference:
    """What the API text says of any pair of a cluster."""

    def __init__(self, objects: Iterable[Object], assumptions: Assumptions) -> None:
        self.cluster = ClusterObjects(list(objects))
        self._assumptions = assumptions
        self._admin = TierPolicies(self.cluster, "Admin", assumptions)
        self._baseline = TierPolicies(self.cluster, "Baseline", assumptions)

    def verdict(self, source: str, destination: str, port: int, protocol: str = "TCP") -> Verdict:
        """What the text says of one connection.

        Args:
            source: "namespace/pod", or an address outside the cluster.
            destination: The same.
            port: The port of the destination.
            protocol: TCP, UDP or SCTP.

        Returns:
            "unknown" where the text or the input leaves open what decides.
        """
        pods = self.cluster.pods
        connection = Connection(pods.get(source, source), pods.get(destination, destination), port, protocol)
        if isinstance(connection.source, Pod) and connection.source.is_one and source == destination:
            # "A pod cannot block access to itself"; a connection to the pod's own address "is never subject to
            # ClusterNetworkPolicy enforcement".
            return "allowed"
        # Policies "apply to a connection with a pod on one or both ends", and both have to let it pass.
        ends = [self._possible(connection, "egress"), self._possible(connection, "ingress")]
        if all(end == {True} for end in ends):
            return "allowed"
        return "denied" if {False} in ends else "unknown"

    def _possible(self, connection: Connection, side: Side) -> set[bool]:
        """What may happen at one end: the connection is accepted, or dropped, or the text leaves it open."""
        if isinstance(connection.subject(side), str):
            return {True}  # an address outside the cluster has no policies
        possible: set[bool] = set()
        for action in self._admin.actions(connection, side):
            possible |= {_FINAL[action]} if action in _FINAL else self._after_admin(connection, side)
        return possible

    def _after_admin(self, connection: Connection, side: Side) -> set[bool]:
        """The NetworkPolicy tier, "always final for selected pods", and for the others Baseline."""
        possible: set[bool] = set()
        for decision in decisions(self.cluster, self._assumptions, connection, side):
            possible |= self._in_baseline(connection, side) if decision is None else {decision}
        return possible

    def _in_baseline(self, connection: Connection, side: Side) -> set[bool]:
        """The Baseline tier; after no action and after Pass "all pods can communicate with each other"."""
        return {_FINAL[action] if action != PASS else True for action in self._baseline.actions(connection, side)}
