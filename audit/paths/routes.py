"""Routes: what Ingresses, Gateways and routes of a namespace make a controller do with another one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from audit.model.grants import Referent, Referrer
from audit.model.objects import Object, mapping, mappings
from audit.model.place import Path
from audit.model.services import Route
from audit.model.truth import NO, YES
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape

_GRANTS: Final = "https://gateway-api.sigs.k8s.io/api-types/referencegrant/"
_HOSTS: Final = "https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule"
_ANNOTATIONS: Final = "https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations-risk/"
_EVERY: Final = ""
"""As a host: a route without hosts."""
_WITHOUT_HOSTS: Final = {"TCPRoute", "UDPRoute"}
"""Kinds of routes that cannot have hosts."""
_SNIPPETS: Final = ("-snippet", "-snippets")
"""How the annotations end that put text into the configuration of a controller."""
_SECRET_ANNOTATIONS: Final = ("auth-secret", "auth-tls-secret", "proxy-ssl-secret")
"""Annotations that name a Secret as NAMESPACE/NAME."""
_LISTENERS: Final = ("Gateway", "ListenerSet", "XListenerSet")


class Routes:
    """The routes of an input, by namespace and by host."""

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._of: dict[str, list[Route]] = defaultdict(list)
        self._by_host: dict[str, list[Route]] = defaultdict(list)
        self._objects: dict[str, list[Object]] = defaultdict(list)
        for route in land.inventory.routes:
            self._of[route.namespace].append(route)
            for host in _hosts_of(route):
                self._by_host[host].append(route)
        for each in land.inventory.of_kind("Ingress", *_LISTENERS):
            self._objects[each.namespace].append(each)

    def steps(self, namespace: str) -> Iterator[Step]:
        """What the routes, Gateways and Ingresses of a namespace reach, take or read in others."""
        for route in self._of.get(namespace, ()):
            yield from self._backend(route)
            yield from self._hosts(route)
        for each in self._objects.get(namespace, ()):
            yield from self._annotations(each) if each.kind == "Ingress" else self._certificates(each)

    def _backend(self, route: Route) -> Iterator[Step]:
        granted = self._land.inventory.grants_route(route)
        if route.namespace == route.service_namespace or granted is NO:
            return
        sentence = f"{route.kind} {route.name} leads to the Service {route.service_namespace}/{route.service}"
        known = granted is YES and route.backend_kind == "Service"
        grant = self._land.inventory.grant_of(route)
        for target, certain in self._land.traffic_to(route.service_namespace, route.service):
            found = lines(route.place, grant.place.at("spec") if grant else None)
            yield Step(target, "route", sentence, found, certain=certain and known, source=_GRANTS)

    def _hosts(self, route: Route) -> Iterator[Step]:
        """Routes of others with the same host at the same controller, or with a wildcard that includes it."""
        for host in _hosts_of(route):
            what, labels = f"the host {host}" if host else "every host", host.split(".")
            wildcards = [".".join(["*", *labels[index:]]) for index in range(1, len(labels))]
            names = dict.fromkeys([host, *wildcards, _EVERY])
            for other in (each for name in names for each in self._by_host.get(name, ())):
                if other.namespace != route.namespace and _same_controller(route, other):
                    sentence = (
                        f"{route.kind} {route.name} has {what}, and so does {other.kind} {other.namespace}/"
                        f"{other.name}: the controller decides which of them gets a request"
                    )
                    target = Node(Kind.TRAFFIC, other.namespace)
                    found = lines(route.place, other.place)
                    yield Step(target, "takes-host", sentence, found, certain=False, source=_HOSTS)

    def _certificates(self, given: Object) -> Iterator[Step]:
        """Certificates of other namespaces with which a Gateway serves, and so takes their host names."""
        for path, reference in _references(given.at("spec"), ("spec",)):
            space, name = str(reference.get("namespace") or given.namespace), str(reference.get("name"))
            if space == given.namespace or reference.get("kind", "Secret") != "Secret":
                continue
            referrer = Referrer(given.group, given.kind, given.namespace)
            granted = self._land.inventory.grants_reference(referrer, Referent("", "Secret", name), space)
            if granted is not NO:
                sentence = f"{given.reference} serves with the certificate and the key in the Secret {space}/{name}"
                found = lines(given.place.at(*path))
                target = Node(Kind.TRAFFIC, space)
                yield Step(target, "certificate", sentence, found, certain=granted is YES, source=_GRANTS)

    def _annotations(self, given: Object) -> Iterator[Step]:
        """Annotations with which a controller reads Secrets of other namespaces, if it is configured to heed them."""
        for key, value in mapping(given.at("metadata", "annotations")).items():
            found = lines(given.place.at("metadata", "annotations", key))
            space, slash, name = str(value).partition("/")
            if key.endswith(_SNIPPETS):
                sentence = f"{key} of {given.reference} configures the controller, which can read every Secret"
                for each in self._land.namespaces:
                    target = Node(Kind.SECRET, each, ANY)
                    yield Step(target, "snippet", sentence, found, certain=False, source=_ANNOTATIONS)
            elif key.rpartition("/")[2] in _SECRET_ANNOTATIONS and slash and space != given.namespace:
                sentence = f"{given.reference} makes the controller use the Secret {value}"
                target = Node(Kind.SECRET, space, name)
                yield Step(target, "uses-secret", sentence, found, certain=False, source=_ANNOTATIONS)


def _hosts_of(route: Route) -> Sequence[str]:
    """The hosts whose requests a route gets."""
    return () if route.kind in _WITHOUT_HOSTS else route.hosts or (_EVERY,)


def _same_controller(one: Route, other: Route) -> bool:
    if (one.kind == "Ingress") != (other.kind == "Ingress"):
        return False
    # Without a class or parent, the cluster's default is meant, which may be the one that the other names.
    return not one.parents or not other.parents or not set(one.parents).isdisjoint(other.parents)


def _references(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The references to certificates anywhere in a value, with their paths."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _references(each, (*path, index))
    for key, each in mapping(value).items():
        if key == "certificateRefs":
            yield from (((*path, key, index), dict(item)) for index, item in enumerate(mappings(each)))
        elif key == "clientCertificateRef":
            yield (*path, key), dict(mapping(each))
        else:
            yield from _references(each, (*path, key))
