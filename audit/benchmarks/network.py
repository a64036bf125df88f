"""The check about traffic between tenants."""

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_

from audit.benchmarks.result import Answer, failed, not_applicable, passed, unknown
from audit.benchmarks.tenant import View
from audit.cluster import Cluster
from audit.contract import connects
from audit.contract.document import Tenant
from audit.engine import bits
from audit.engine.endpoints import Traffic
from audit.engine.reach import Flow


@dataclass(frozen=True, slots=True)
class _Crossing:
    """Traffic from a class of pods of one tenant to a class of another.

    Attributes:
        source: Number of the class that sends.
        destination: Number of the class that receives.
        ports: The ports.
        certain: Whether policies certainly allow it.
    """

    source: int
    destination: int
    ports: int
    certain: bool


class Crossings:
    """Traffic between tenants, computed once for all of them."""

    def __init__(self, cluster: Cluster, tenants: list[Tenant]) -> None:
        self._cluster = cluster
        self._reach = cluster.reach()
        self._several = len(tenants) > 1
        self._of: dict[str, list[_Crossing]] = defaultdict(list)
        self._classes = {each.name: self._of_tenant(each) for each in tenants}
        everything = reduce(or_, self._classes.values(), 0)
        for tenant in tenants:
            own = self._classes[tenant.name]
            for number in bits.members(own):
                for flow in self._reach.flows(number):
                    # This is rare, so only then are the tenants examined one by one.
                    if flow.destinations & everything & ~own:
                        self._add(tenant, tenants, number, flow)

    def check(self, view: View) -> Answer:
        """Whether traffic passes between a tenant and another, in either direction."""
        if not self._several:
            return not_applicable("the contract has no other tenant")
        undeclared = [each for each in view.spaces if view.inventory.namespaces.get(each) is None]
        if undeclared:
            return unknown(f"the input does not declare the namespace {undeclared[0]}")
        found = self._of[view.tenant.name]
        if not found:
            return passed("policies deny all traffic between its pods and those of other tenants")
        first = next((each for each in found if each.certain), found[0])
        names = f"{self._name(first.source)} can reach {self._name(first.destination)}"
        if first.certain:
            return failed(names, self._place(first))
        return unknown(f"it is not known whether {names}", self._place(first))

    def _of_tenant(self, tenant: Tenant) -> int:
        return reduce(or_, map(self._reach.universe.in_namespace, tenant.spaces), 0)

    def _add(self, tenant: Tenant, tenants: list[Tenant], number: int, flow: Flow) -> None:
        for other in tenants:
            reached = flow.destinations & self._classes[other.name]
            if other is tenant or not reached or connects(tenant, other):
                continue
            first = next(bits.members(reached))
            crossing = _Crossing(number, first, flow.allowed or flow.unknown, bool(flow.allowed))
            self._of[tenant.name].append(crossing)
            self._of[other.name].append(crossing)

    def _name(self, number: int) -> str:
        return self._reach.classes[number].endpoint.name

    def _place(self, crossing: _Crossing) -> tuple[str, int] | None:
        """The line of a policy that decides, on the side that lets the traffic in."""
        source, destination = (self._reach.classes[each].endpoint for each in (crossing.source, crossing.destination))
        port = self._reach.ports.ranges(crossing.ports)[0]
        answer = self._cluster.judge.answer(Traffic(source, destination, port.protocol, port.low))
        evidence = [*answer.ingress.evidence, *answer.egress.evidence]
        return next(((each.file, each.line) for each in evidence if each.file), None)
