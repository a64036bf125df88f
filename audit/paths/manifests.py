"""Manifests: what objects of a namespace make others do with another namespace: routes and Services."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.model.services import Route, Service
from audit.paths.graph import Kind, Node, Step, lines
from audit.paths.landscape import Landscape

_ROUTES: Final = "https://gateway-api.sigs.k8s.io/api-types/referencegrant/"
_SERVICES: Final = "https://kubernetes.io/docs/concepts/services-networking/service/#externalname"
_NAME: Final = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.|\Z)")


class ManifestsPlane:
    """Routes to Services of other namespaces, and Services that are aliases or hold addresses of another namespace."""

    name = "routes and Services"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._services = {(each.namespace, each.name): each for each in land.inventory.services}
        self._routes_of: dict[str, list[Route]] = defaultdict(list)
        self._services_of: dict[str, list[Service]] = defaultdict(list)
        for route in land.inventory.routes:
            self._routes_of[route.namespace].append(route)
        for service in land.inventory.services:
            self._services_of[service.namespace].append(service)

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        inventory = self._land.inventory
        return {"route": len(inventory.routes), "Service": len(inventory.services)}

    @property
    def unknown(self) -> list[str]:
        """What programs do with traffic is not known."""
        return []

    def steps(self, node: Node) -> Iterator[Step]:
        """What routes and Services of a namespace reach in another."""
        if node.kind is not Kind.MANIFESTS:
            return
        for route in self._routes_of.get(node.namespace, ()):
            if route.namespace != route.service_namespace:
                sentence = f"{route.kind} {route.name} leads to the Service {route.service_namespace}/{route.service}"
                for target, certain in self._behind(route.service_namespace, route.service):
                    yield Step(target, "route", sentence, lines(route.place), certain=certain, source=_ROUTES)
        for service in self._services_of.get(node.namespace, ()):
            yield from self._service(service)

    def _service(self, service: Service) -> Iterator[Step]:
        alias = _NAME.match(service.external_name)
        if alias is not None and alias[2] != service.namespace:
            place = service.place.at("spec", "externalName")
            sentence = (
                f"the Service {service.name} is an alias of {service.external_name}, so what uses it as a backend, "
                "such as a gateway, sends traffic there"
            )
            for target, _certain in self._behind(alias[2], alias[1]):
                yield Step(target, "external-name", sentence, lines(place), certain=False, source=_SERVICES)
        for backend in service.backends:
            for each in self._land.cluster.references.endpoints(str(backend.address)):
                pods = each.pods
                if pods is None or pods.namespace.name in {"", service.namespace}:
                    continue
                for workload in self._land.pods(pods.namespace.name):
                    if pods in self._land.workloads[workload].pods:
                        sentence = f"the Service {service.name} leads to {backend.address}, an address of its pods"
                        target = Node(Kind.REACHED, workload.namespace, workload.name)
                        yield Step(target, "endpoints", sentence, lines(service.place), certain=False, source=_SERVICES)

    def _behind(self, namespace: str, name: str) -> Iterator[tuple[Node, bool]]:
        """The pods that a Service selects, or may select; traffic of the namespace where the input holds none."""
        service = self._services.get((namespace, name))
        found = list(self._land.behind(service)) if service else []
        yield from found or [(Node(Kind.REACHED, namespace), True)]
