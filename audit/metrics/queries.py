"""Who can ask the API of a Prometheus, which has no login, and therefore read all metrics."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from audit.cluster import Cluster
from audit.engine.answer import Answer, Verdict
from audit.engine.endpoints import Endpoint, Traffic
from audit.metrics.connections import connections
from audit.metrics.rules import found
from audit.metrics.servers import PORT, Servers, listens, pods_of
from audit.model.finding import Finding, State
from audit.model.labels import Labels, Selector
from audit.model.objects import Object
from audit.model.permissions import EVERYBODY
from audit.model.place import Place
from audit.model.truth import NO, YES
from audit.permissions.permissions import Grant

_OUTSIDE_TYPES: Final = {"NodePort", "LoadBalancer"}


class Way(StrEnum):
    """How somebody gets to the API of a Prometheus."""

    NETWORK = "network"
    SERVICE = "service"
    ROUTE = "route"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Query:
    """Somebody who can, or may be able to, ask a Prometheus.

    Attributes:
        server: The Prometheus.
        way: How.
        verdict: allowed, or unknown where the input does not decide.
        who: The pods, the account, or everybody that a Service or route lets in, in words.
        namespace: Namespace of the pods or of the account; empty for others.
        text: What makes it possible.
        places: File and line of what makes it possible.
        everybody: Whether it is everybody, and not a named account or pod.
    """

    server: Object
    way: Way
    verdict: Verdict
    who: str
    namespace: str
    text: str
    places: tuple[tuple[str, int], ...]
    everybody: bool = False


def queries(cluster: Cluster, servers: Servers) -> Iterator[Query]:
    """Everybody outside a Prometheus's namespace who can ask it."""
    for server in servers.all:
        if listens(server):
            yield from _by_network(cluster, server)
            yield from _from_outside(cluster, server)
        yield from _by_permission(cluster, server)


def _by_network(cluster: Cluster, server: Object) -> Iterator[Query]:
    """Namespaces of which any pod can ask; of the others, the workloads that can, and new pods that may."""
    inventory, references = cluster.inventory, cluster.references
    destinations = pods_of(server, inventory, references)
    whole = set()
    for name, namespace in inventory.namespaces.items():
        if name == server.namespace or namespace.place is None:
            continue
        answer = _worst(cluster, references.endpoints(f"{name}/*"), destinations)
        if answer is not None:
            whole |= {name} if answer.verdict is Verdict.ALLOWED else set()
            yield _query(server, answer, f"pods of namespace {name}", name, namespace.place)
    for each in inventory.workloads:
        if each.namespace in {server.namespace, *whole}:
            continue
        answer = _worst(cluster, references.of_workload(each), destinations)
        if answer is not None:
            yield _query(server, answer, f"pods of {each.kind} {each.reference}", each.namespace, each.place)


def _worst(cluster: Cluster, sources: Sequence[Endpoint], destinations: Sequence[Endpoint]) -> Answer | None:
    """The verdict that lets most through, or None where all are denials."""
    pairs = (Traffic(end, destination, "TCP", PORT) for end in sources for destination in destinations)
    answers = [each for each in map(cluster.judge.answer, pairs) if each.verdict is not Verdict.DENIED]
    return next((each for each in answers if each.verdict is Verdict.ALLOWED), answers[0] if answers else None)


def _query(server: Object, answer: Answer, who: str, namespace: str, place: Place) -> Query:
    places = tuple(_places(answer)) or ((place.file, place.line),)
    return Query(server, Way.NETWORK, answer.verdict, who, namespace, _reason(answer), places)


def _reason(answer: Answer) -> str:
    if answer.verdict is Verdict.UNKNOWN:
        return f"it is not known whether policies let them reach TCP {PORT}: {'; '.join(answer.missing)}"
    return f"policies let them reach TCP {PORT}"


def _places(answer: Answer) -> Iterator[tuple[str, int]]:
    """The lines that decide: on the side of who asks, as that is where a tenant's policies are."""
    for side in (answer.egress, answer.ingress):
        if side.verdict is answer.verdict:
            yield from dict.fromkeys((each.file, each.line) for each in side.evidence if each.file)


def _from_outside(cluster: Cluster, server: Object) -> Iterator[Query]:
    """Services that are reachable at the nodes or at external addresses, and routes to Services."""
    labels = [end.pods.labels for end in pods_of(server, cluster.inventory, cluster.references) if end.pods is not None]
    services = [
        each
        for each in cluster.inventory.services
        if each.namespace == server.namespace and each.selector is not None and _selects(each.selector, labels)
    ]
    for each in services:
        field = "type" if each.type in _OUTSIDE_TYPES else "externalIPs"
        if each.type in _OUTSIDE_TYPES or each.external_ips:
            how = f"of the type {each.type}" if field == "type" else f"with {', '.join(each.external_ips)}"
            place = each.place.at("spec", field)
            text = f"Service {each.namespace}/{each.name} is {how}"
            who = "anyone who reaches the nodes or its addresses"
            yield Query(server, Way.SERVICE, Verdict.ALLOWED, who, "", text, ((place.file, place.line),), True)
    names = {(each.namespace, each.name) for each in services}
    for route in cluster.inventory.routes:
        if (route.service_namespace, route.service) not in names:
            continue
        granted = cluster.inventory.grants_route(route)
        if granted is not NO:
            text = (
                f"{route.kind} {route.namespace}/{route.name} leads to it as {', '.join(route.hosts) or 'every host'}"
            )
            places = ((route.place.file, route.place.line),)
            who = "anyone who reaches the gateway or ingress controller"
            verdict = Verdict.ALLOWED if granted is YES else Verdict.UNKNOWN
            yield Query(server, Way.ROUTE, verdict, who, "", text, places, True)


def _selects(selector: Selector, labels: Sequence[Labels]) -> bool:
    return any(selector.matches(each) is not NO for each in labels)


def _by_permission(cluster: Cluster, server: Object) -> Iterator[Query]:
    """Who may connect to its pods or Services through the API server."""
    for grant in cluster.permissions.grants:
        if grant.default or grant.subject.home == server.namespace or grant.namespace not in {"", server.namespace}:
            continue
        found_connections = dict(connections(grant.rule, grant.namespace, server, cluster))
        if found_connections:
            certain = [name for name, verdict in found_connections.items() if verdict is Verdict.ALLOWED]
            resources = certain or list(found_connections)
            named = f" named {', '.join(grant.rule.names)}" if grant.rule.names else ""
            by = f"{grant.role.reference} by {grant.binding.reference}"
            yield Query(
                server,
                Way.PERMISSION,
                Verdict.ALLOWED if certain else Verdict.UNKNOWN,
                str(grant.subject),
                grant.subject.home,
                f"may use {', '.join(resources)}{named} {grant.where} ({by})",
                tuple(_grant_places(grant)),
                grant.subject.name in EVERYBODY,
            )


def _grant_places(grant: Grant) -> Iterator[tuple[str, int]]:
    bound = grant.binding.place.at("subjects", grant.binding.subjects.index(grant.subject), "name")
    yield bound.file, bound.line
    if grant.rule.place is not None and not grant.role.default:
        yield grant.rule.place.file, grant.rule.place.line


_RULES: Final = {
    Way.NETWORK: "metrics-query-by-network",
    Way.SERVICE: "metrics-query-from-outside",
    Way.ROUTE: "metrics-query-from-outside",
    Way.PERMISSION: "metrics-query-by-permission",
}


def query_findings(found_queries: Sequence[Query], tenants: Collection[str]) -> Iterator[Finding]:
    """Queries by tenants, or by everybody, are violations; those by others are worth knowing.

    Args:
        found_queries: Who can ask.
        tenants: Namespaces of tenants.
    """
    for each in found_queries:
        can = "can" if each.verdict is Verdict.ALLOWED else "may be able to"
        state = State.WARNING
        if each.everybody or each.namespace in tenants:
            state = State.VIOLATION if each.verdict is Verdict.ALLOWED else State.UNDECIDED
        yield found(
            _RULES[each.way],
            each.places[0],
            namespace=each.namespace or each.server.namespace,
            subject=f"{each.who[0].upper()}{each.who[1:]}" if each.way is not Way.PERMISSION else each.who,
            message=f"{can} read all metrics of {each.server.reference}: {each.text}",
            state=state,
        )
