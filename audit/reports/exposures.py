"""Finds what workloads expose: to pods, addresses and nodes, through Services and routes."""

from collections.abc import Iterator

from audit.cluster import Cluster
from audit.engine import bits, wording
from audit.engine.answer import Verdict
from audit.engine.arrivals import Arrivals
from audit.engine.evaluation import Profile
from audit.engine.groups import Group, Groups
from audit.engine.outside import Outside
from audit.engine.reach import Flow
from audit.engine.through_services import selected
from audit.model.policies import Direction, PodPeer
from audit.model.services import Route, Service, ServicePort
from audit.model.truth import MAYBE, NO, YES
from audit.reports import words
from audit.reports.finding import Exposure, Finding

_NAMED = 6
_VISIBLE = {"NodePort", "LoadBalancer"}
_FORWARDED = "a node may forward the traffic with its own address, which implementations treat differently"
_ABSENT = "the input holds no such pod; whether it exists is not known"
_GRANT = "the input does not declare the Service's namespace, so whether it has a ReferenceGrant is not known"
_CONTROLLER = "the pods of the ingress controller or gateway are not known"


class Exposures:
    """The exposures of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._reach = cluster.reach()
        self._outside = Outside(self._reach.ports, cluster.judge, cluster.assumptions)
        self._groups = Groups(self._reach, self._outside)
        self._arrivals = Arrivals(self._reach, self._groups.shown)
        # The last two classes are a pod of which nothing is known, and a node.
        self._anywhere, self._node = len(self._reach.classes) - 2, len(self._reach.classes) - 1

    def findings(self) -> Iterator[Finding]:
        """Everything that is exposed, by workload, then by Service and route."""
        for group in self._groups.all:
            first = next(bits.members(group.classes))
            yield from self._from_pods(group, first)
            yield from self._from_absent_pods(group, first)
            yield from self._from_addresses(group, first)
            yield from self._from_nodes(group, first)
            yield from self._unrestricted(group, first)
        for service in self._cluster.inventory.services:
            yield from self._services(service)
        for route in self._cluster.inventory.routes:
            yield from self._routes(route)

    def _let_in(self, source: int, first: int) -> Flow:
        """What a class's own policies let in of another, whatever the other's egress policies are."""
        bit = 1 << source
        allowed = possible = 0
        for cell in self._reach.ingress[first]:
            allowed |= cell.ports if cell.certain & bit else 0
            possible |= cell.ports if cell.possible & bit else 0
        return Flow(bit, allowed, possible & ~allowed)

    def _from_pods(self, group: Group, first: int) -> Iterator[Finding]:
        any_pod = self._let_in(self._anywhere, first)
        if any_pod.allowed:
            by = "any pod of any namespace"
            yield self._finding(group, Exposure.CLUSTER, Verdict.ALLOWED, by, self._ports(any_pod.allowed))
        own = self._groups.own(first)
        for flow in self._arrivals.at(first):
            others = flow.destinations & ~own
            for verdict, mask in ((Verdict.ALLOWED, flow.allowed), (Verdict.UNKNOWN, flow.unknown)):
                rest = mask & ~any_pod.allowed
                if others and rest:
                    by = self._named(others)
                    yield self._finding(group, Exposure.CLUSTER, verdict, by, self._ports(rest))

    def _from_absent_pods(self, group: Group, first: int) -> Iterator[Finding]:
        """Pods that rules let in by their labels, where the input holds none: a controller may create them."""
        pods = self._reach.classes[first].endpoint.pods
        profile = self._cluster.judge.profile(pods, Direction.INGRESS) if pods else Profile()
        for policy, _truth in profile.network:
            for rule in policy.ingress or ():
                for index, peer in enumerate(rule.peers or ()):
                    if not isinstance(peer, PodPeer) or peer.namespaces is None or not peer.pods.requirements:
                        continue
                    matched = self._reach.universe.peer(peer, policy.namespace)
                    if (matched[0] | matched[1]) & self._groups.shown:
                        continue
                    place = rule.place.at(rule.peer_field, index)
                    yield Finding(
                        exposure=Exposure.CLUSTER,
                        verdict=Verdict.UNKNOWN,
                        label=group.label,
                        members=list(group.members),
                        by=wording.peer(peer, policy.namespace),
                        ports=[wording.ports(rule.ports)],
                        missing=[_ABSENT],
                        file=place.file,
                        line=place.line,
                    )

    def _from_addresses(self, group: Group, first: int) -> Iterator[Finding]:
        for cell in self._outside.cells(self._reach.classes[first].endpoint, Direction.INGRESS):
            unknown = cell.possible & ~cell.certain
            for verdict, found in ((Verdict.ALLOWED, cell.certain), (Verdict.UNKNOWN, unknown)):
                if found:
                    by = words.addresses(found)
                    yield self._finding(group, Exposure.ADDRESSES, verdict, by, self._ports(cell.ports))

    def _from_nodes(self, group: Group, first: int) -> Iterator[Finding]:
        """Nodes other than the pods' own, which always reaches them."""
        allowed = self._let_in(self._node, first).allowed
        if allowed:
            yield self._finding(group, Exposure.NODES, Verdict.ALLOWED, "any node", self._ports(allowed))

    def _unrestricted(self, group: Group, first: int) -> Iterator[Finding]:
        pods = self._reach.classes[first].endpoint.pods
        if pods is None:
            return
        if pods.host_network:
            by = "it uses its node's network; implementations differ in whether policies apply"
            yield self._finding(group, Exposure.HOST_NETWORK, Verdict.UNKNOWN, by, [])
        directions = {
            Direction.INGRESS: Exposure.UNRESTRICTED_INGRESS,
            Direction.EGRESS: Exposure.UNRESTRICTED_EGRESS,
        }
        for direction, exposure in directions.items():
            profile = self._cluster.judge.profile(pods, direction)
            if not (profile.admin or profile.network or profile.baseline or profile.opaque):
                by = f"no policy restricts its {direction}"
                yield self._finding(group, exposure, Verdict.ALLOWED, by, ["all ports"])

    def _services(self, service: Service) -> Iterator[Finding]:
        """Ports on nodes, load balancers and external addresses."""
        if service.type not in _VISIBLE and not service.external_ips:
            return
        for group, first in self._behind(service):
            cells = self._outside.cells(self._reach.classes[first].endpoint, Direction.INGRESS)
            for port in service.ports:
                for number in self._numbers(port, first):
                    mask = self._reach.ports.one(port.protocol, number)
                    certain = [cell.certain for cell in cells if cell.ports & mask and cell.certain]
                    verdict = Verdict.ALLOWED if certain else Verdict.UNKNOWN
                    missing = [] if certain else [_FORWARDED]
                    who = words.addresses(certain[0]) if certain else "outside"
                    by = f"{service.type} Service {service.namespace}/{service.name}{_entry(service, port)}, from {who}"
                    yield Finding(
                        exposure=Exposure.SERVICE,
                        verdict=verdict,
                        label=group,
                        members=[group],
                        by=by,
                        ports=[f"{port.protocol} {number}"],
                        missing=missing,
                        file=service.place.file,
                        line=service.place.line,
                    )

    def _routes(self, route: Route) -> Iterator[Finding]:
        """Ingresses and routes: their controller's pods are not known, so any pod stands for them."""
        services = self._cluster.inventory.services
        wanted = (route.service_namespace, route.service)
        for service in (each for each in services if (each.namespace, each.name) == wanted):
            for group, first in self._behind(service):
                for port in service.ports:
                    if route.port not in {None, port.number, port.name}:
                        continue
                    for number in self._numbers(port, first):
                        yield self._route(route, group, first, port, number)

    def _route(self, route: Route, reference: str, first: int, port: ServicePort, number: int) -> Finding:
        flow = self._let_in(self._anywhere, first)
        mask = self._reach.ports.one(port.protocol, number)
        granted = self._cluster.inventory.grants_route(route)
        verdict = Verdict.DENIED
        if granted is YES and flow.allowed & mask:
            verdict = Verdict.ALLOWED
        elif granted is not NO and (flow.allowed | flow.unknown) & mask:
            verdict = Verdict.UNKNOWN
        missing = ([_CONTROLLER] if flow.unknown & mask else []) + ([_GRANT] if granted is MAYBE else [])
        hosts = ", ".join(route.hosts) or "any host"
        parents = f" through {', '.join(route.parents)}" if route.parents else ""
        return Finding(
            exposure=Exposure.ROUTE,
            verdict=verdict,
            label=reference,
            members=[reference],
            by=f"{route.kind} {route.namespace}/{route.name} ({hosts}){parents}",
            ports=[f"{port.protocol} {number}"],
            missing=missing if verdict is Verdict.UNKNOWN else [],
            file=route.place.file,
            line=route.place.line,
        )

    def _behind(self, service: Service) -> Iterator[tuple[str, int]]:
        """The workloads that a Service selects, with a class of each."""
        for workload, _truth in selected(service, self._cluster.inventory):
            number = self._reach.universe.number(workload)
            if number is not None:
                yield workload.reference, number

    def _numbers(self, port: ServicePort, first: int) -> list[int]:
        if isinstance(port.target, int):
            return [port.target]
        pods = self._reach.classes[first].endpoint.pods
        return list(dict.fromkeys(each.number for each in pods.named(port.target, port.protocol))) if pods else []

    def _ports(self, mask: int) -> list[str]:
        return words.ports(self._reach.ports.ranges(mask))

    def _named(self, classes: int) -> str:
        members = self._groups.members(classes)
        more = f" and {len(members) - _NAMED} more" if len(members) > _NAMED else ""
        return ", ".join(members[:_NAMED]) + more

    def _finding(self, group: Group, exposure: Exposure, verdict: Verdict, by: str, ports: list[str]) -> Finding:
        first = next(bits.members(group.classes))
        place = self._reach.classes[first].workloads[0].place
        return Finding(
            exposure=exposure,
            verdict=verdict,
            label=group.label,
            members=list(group.members),
            by=by,
            ports=ports,
            missing=[],
            file=place.file,
            line=place.line,
        )


def _entry(service: Service, port: ServicePort) -> str:
    """Where a Service's port is open."""
    if service.type == "NodePort":
        return f" (port {port.node_port or 'chosen by the cluster'} of every node)"
    if service.external_ips and service.type not in _VISIBLE:
        return f" (port {port.number} of {', '.join(service.external_ips)})"
    return f" (port {port.number})"
