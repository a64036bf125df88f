"""What an input makes possible, one statement at a time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from audit.changes.change import Area, Fact
from audit.changes.openings import Opening, named, openings, peer_text, ports_text, subject
from audit.cluster import Cluster
from audit.metrics import Metrics
from audit.model.consequence import Consequence
from audit.model.finding import Severity, State
from audit.model.grants import ReferenceGrant, Referrer
from audit.model.labels import EVERYTHING
from audit.model.permissions import EVERYBODY, PolicyRule
from audit.model.place import Place
from audit.model.policies import BlockPeer, Direction, PodPeer
from audit.model.services import Route
from audit.permissions.consequences import of_rule
from audit.permissions.permissions import Grant, parts
from audit.pods import Level, pod_findings
from audit.pods.findings import ENFORCE, enforced

_MONITORING: Final = ("Probe", "ScrapeConfig", "AlertmanagerConfig")


def facts(cluster: Cluster) -> Iterator[Fact]:
    """Everything that the input makes possible and that matters for isolation."""
    yield from _network(cluster)
    yield from unrestricted(cluster)
    yield from services(cluster)
    yield from _routes(cluster)
    yield from _permissions(cluster)
    yield from _pods(cluster)
    yield from _metrics(cluster)


def _fact(area: Area, risk: Severity, namespace: str, of: str, text: str, *places: Place) -> Fact:
    return Fact(area, risk, namespace, of, text, tuple((each.file, each.line) for each in places))


def _network(cluster: Cluster) -> Iterator[Fact]:
    for each in openings(cluster.inventory):
        namespace = each.policy.namespace or ""
        text = f"policies let them be reached by {peer_text(each.peer, namespace)} on {ports_text(each.ports)}"
        if each.direction is Direction.EGRESS:
            text = f"policies let them reach {peer_text(each.peer, namespace)} on {ports_text(each.ports)}"
        found = _fact(Area.NETWORK, _risk(each), namespace, subject(each.policy), text, each.place)
        if isinstance(each.peer, BlockPeer):
            rest = f"{found.subject} {each.direction} {ports_text(each.ports)}"
            found = replace(found, block=(rest, each.peer.block))
        yield found


def _risk(opening: Opening) -> Severity:
    """How much it matters that a rule lets something through."""
    peer = opening.peer
    if peer is None:
        return Severity.CRITICAL
    if isinstance(peer, PodPeer):
        if peer.namespaces is None or named(peer.namespaces) == opening.policy.namespace:
            return Severity.LOW
        return Severity.CRITICAL if peer.namespaces == EVERYTHING else Severity.HIGH
    return Severity.HIGH if isinstance(peer, BlockPeer) else Severity.MEDIUM


def unrestricted(cluster: Cluster) -> Iterator[Fact]:
    """Workloads, and new pods, whose direction no policy restricts."""
    inventory = cluster.inventory
    restricted: dict[tuple[str, Direction], list[PodPeer]] = defaultdict(list)
    for policy in inventory.policies:
        for direction in Direction:
            # A policy of administrators is about chosen traffic, and leaves the rest open.
            if policy.namespace is not None and policy.rules(direction) is not None:
                restricted[policy.namespace, direction].append(policy.subject)
    for direction in Direction:
        for workload in inventory.workloads:
            selected = restricted[workload.namespace, direction]
            if not all(any(each.pods.matches(pods.labels) for each in selected) for pods in workload.pods):
                text = f"no policy restricts their {direction}"
                where = f"pods of {workload.kind} {workload.reference}"
                yield _fact(Area.NETWORK, Severity.CRITICAL, workload.namespace, where, text, workload.place)
        for name, namespace in inventory.namespaces.items():
            open_to_new = not any(each.pods == EVERYTHING for each in restricted[name, direction])
            if namespace.place is not None and open_to_new:
                text = f"no policy restricts the {direction} of new pods"
                yield _fact(Area.NETWORK, Severity.HIGH, name, f"Namespace {name}", text, namespace.place)


def services(cluster: Cluster) -> Iterator[Fact]:
    """Services that forward to what is outside the cluster, or that are reachable from outside."""
    for each in cluster.inventory.services:
        of = f"Service {each.namespace}/{each.name}"
        spec = each.place.at("spec")
        if each.type in {"NodePort", "LoadBalancer"}:
            text = f"it is of the type {each.type}, so nodes or external addresses lead to its pods"
            yield _fact(Area.NETWORK, Severity.HIGH, each.namespace, of, text, spec.at("type"))
        if each.external_ips:
            text = f"it takes the traffic to {', '.join(sorted(each.external_ips))}"
            yield _fact(Area.NETWORK, Severity.HIGH, each.namespace, of, text, spec.at("externalIPs"))
        if each.external_name:
            text = f"it stands for {each.external_name}"
            yield _fact(Area.NETWORK, Severity.HIGH, each.namespace, of, text, spec.at("externalName"))
        if each.selector is None and not each.external_name:
            text = "it has no selector, so anyone who can write its EndpointSlices chooses where its traffic goes"
            yield _fact(Area.NETWORK, Severity.MEDIUM, each.namespace, of, text, spec)


def _routes(cluster: Cluster) -> Iterator[Fact]:
    for each in cluster.inventory.routes:
        of = f"{each.kind} {each.namespace}/{each.name}"
        yield _fact(Area.NETWORK, Severity.MEDIUM, each.namespace, of, route_text(each), each.place)

    for grant in cluster.inventory.grants:
        of = f"ReferenceGrant {grant.namespace}/{grant.name}"
        for index, referrer in enumerate(grant.referrers):
            place = grant.place.at("spec", "from", index)
            yield _fact(Area.NETWORK, Severity.HIGH, grant.namespace, of, grant_text(grant, referrer), place)


def grant_text(grant: ReferenceGrant, referrer: Referrer) -> str:
    """What a ReferenceGrant lets others do, in words."""
    what = ", ".join(f"{each.kind} {each.name or '*'}" for each in grant.referents) or "nothing"
    return f"it lets each {referrer.kind} of namespace {referrer.namespace} refer to {what} of its namespace"


def route_text(route: Route) -> str:
    """What a route does, in words."""
    hosts = ", ".join(route.hosts) or "every host"
    return f"it makes the Service {route.service_namespace}/{route.service} reachable as {hosts}"


def _permissions(cluster: Cluster) -> Iterator[Fact]:
    for grant in cluster.permissions.grants:
        if not grant.default:
            yield from _grant(grant)
    for binding in cluster.permissions.missing:
        who = ", ".join(map(str, binding.subjects)) or "nobody"
        text = f"it gives {binding.role_reference}, which the input does not hold, to {who}"
        place = binding.place.at("roleRef", "name")
        yield _fact(Area.PERMISSIONS, Severity.HIGH, binding.namespace, binding.reference, text, place)


def _grant(grant: Grant) -> Iterator[Fact]:
    """What a rule allows, one resource or path at a time, with the lines of the rule, the subject and the role."""
    rule, binding = grant.rule, grant.binding
    index = binding.subjects.index(grant.subject)
    bound = (binding.place.at("subjects", index, "name"), binding.place.at("roleRef", "name"))
    home = grant.namespace or grant.subject.namespace
    for part, place in parts(rule):
        consequences = list(of_rule(part, cluster_wide=not grant.namespace))
        risk = min((severity for _each, severity in consequences), key=lambda each: each.rank, default=Severity.LOW)
        if not grant.namespace or _foreign(grant):
            risk = risk.worse().worse() if risk is Severity.LOW else risk.worse()
        places = bound if grant.role.default or place is None else (place, *bound)
        yield _fact(Area.PERMISSIONS, risk, home, str(grant.subject), _allowed(grant, part, consequences), *places)


def _foreign(grant: Grant) -> bool:
    """Whether accounts of other namespaces, or everybody, get what a RoleBinding gives."""
    home = grant.subject.home
    return home != grant.namespace if home else grant.subject.name in EVERYBODY


def _allowed(grant: Grant, part: PolicyRule, consequences: list[tuple[Consequence, Severity]]) -> str:
    names = f" named {', '.join(part.names)}" if part.names else ""
    follows = f": {', '.join(each.name for each, _severity in consequences)}" if consequences else ""
    return f"may {', '.join(sorted(part.verbs))} {', '.join(sorted(part.written))}{names} {grant.where}{follows}"


def _pods(cluster: Cluster) -> Iterator[Fact]:
    for each in pod_findings(cluster.inventory):
        risk = each.severity if each.state is State.VIOLATION else Severity.LOW
        area = Area.CAPACITY if each.rule in {"quota-below-maximum", "pod-resources"} else Area.PODS
        yield Fact(area, risk, each.namespace, each.subject, each.message, ((each.file, each.line),))
    for name, namespace in cluster.inventory.namespaces.items():
        level = enforced(cluster.inventory, name)
        if level is not None and namespace.place is not None and level[0] is not Level.RESTRICTED:
            text = f"pods may be what the level {level[0]} allows"
            place = namespace.place.at("metadata", "labels", ENFORCE)
            yield _fact(Area.PODS, Severity.HIGH, name, f"Namespace {name}", text, place)


def _metrics(cluster: Cluster) -> Iterator[Fact]:
    """What monitors, alert routes and queries make possible, and objects that configure the monitoring of all."""
    plane = Metrics(cluster)
    for each in plane.isolation_findings(plane.monitored):
        risk = each.severity if each.state is State.VIOLATION else Severity.LOW
        yield Fact(Area.METRICS, risk, each.namespace, each.subject, each.message, ((each.file, each.line),))
    for given in cluster.inventory.of_kind(*_MONITORING):
        text = f"a {given.kind} of the namespace configures the monitoring of all"
        yield _fact(Area.METRICS, Severity.MEDIUM, given.namespace, given.reference, text, given.place)
