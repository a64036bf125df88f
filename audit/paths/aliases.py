"""Services that lead to another namespace: by an alias, by the addresses of endpoints, or by taking its addresses."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.model.addresses import Address
from audit.model.objects import Object, listed, mappings
from audit.model.place import Place
from audit.model.services import Service
from audit.paths.graph import Kind, Node, Step, lines
from audit.paths.landscape import Landscape

_SERVICES: Final = "https://kubernetes.io/docs/concepts/services-networking/service/#externalname"
_ADDRESSES: Final = "https://github.com/kubernetes/kubernetes/issues/97076"
_SHORT: Final = 2
"""Labels of the short name of a Service: its own and its namespace's."""


class Aliases:
    """The Services of an input, by namespace and by address."""

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._of: dict[str, list[Service]] = defaultdict(list)
        self._by_address: dict[Address, list[Service]] = defaultdict(list)
        self._taken: dict[str, list[tuple[str, Place]]] = defaultdict(list)
        self._owners: dict[str, list[str]] = defaultdict(list)
        for service in land.inventory.services:
            self._of[service.namespace].append(service)
            for address in service.cluster_ips:
                self._by_address[address].append(service)
                self._owners[str(address)].append(service.namespace)
        for each in land.inventory.of_kind("Service"):
            for text, place in _requested(each):
                self._taken[each.namespace].append((text, place))
                self._owners[text].append(each.namespace)
            for item in mappings(each.at("status", "loadBalancer", "ingress")):
                if item.get("ip"):
                    self._owners[str(item["ip"])].append(each.namespace)

    @property
    def unresolved(self) -> Iterator[str]:
        """Services that are aliases of names outside the cluster."""
        for services in self._of.values():
            for service in services:
                for name, _place in _names(service):
                    if self._targets(name, service.namespace) is None:
                        alias = f"the Service {service.namespace}/{service.name}"
                        yield f"where {alias} leads: {name} is not a name of the cluster"

    def steps(self, namespace: str) -> Iterator[Step]:
        """What the Services of a namespace lead to, or take, in others."""
        for service in self._of.get(namespace, ()):
            for name, place in _names(service):
                sentence = (
                    f"the Service {service.name} is an alias of {name}, so what uses it as a backend, "
                    "such as a gateway, sends traffic there"
                )
                for target in self._targets(name, namespace) or ():
                    yield Step(target, "external-name", sentence, lines(place), certain=False, source=_SERVICES)
            for backend in service.backends:
                sentence = f"the Service {service.name} leads to {backend.address}, an address of another namespace"
                for target in self._at(backend.address, namespace):
                    found = lines(service.place)
                    yield Step(target, "endpoints", sentence, found, certain=False, source=_SERVICES)
        for text, place in self._taken.get(namespace, ()):
            for other in dict.fromkeys(self._owners[text]):
                if other != namespace:
                    sentence = f"a Service takes the traffic to {text}, an address of a Service of {other}"
                    target = Node(Kind.TRAFFIC, other)
                    yield Step(target, "takes-address", sentence, lines(place), certain=False, source=_ADDRESSES)

    def _targets(self, name: str, namespace: str) -> list[Node] | None:
        """What a host name leads to in other namespaces, or None if it is not a name of the cluster."""
        address = _address(name)
        if address is not None:
            return self._at(address, namespace)
        labels = name.rstrip(".").split(".")
        for kind in ("svc", "pod"):
            if kind in labels[2:]:
                index = labels.index(kind, 2)
                owner, space = labels[index - 2], labels[index - 1]
                address = _address(owner.replace("-", ".")) or _address(owner.replace("-", ":"))
                if kind == "pod" and address is not None:
                    return self._at(address, namespace)
                return [] if space == namespace else self._traffic(space, owner)
        if len(labels) == _SHORT and labels[1] in self._land.namespaces:
            return [] if labels[1] == namespace else self._traffic(labels[1], labels[0])
        return None

    def _traffic(self, namespace: str, name: str) -> list[Node]:
        return [target for target, _certain in self._land.traffic_to(namespace, name)]

    def _at(self, address: Address, namespace: str) -> list[Node]:
        """What has an address in other namespaces: Services and pods."""
        found = [
            target
            for service in self._by_address.get(address, ())
            if service.namespace != namespace
            for target in self._traffic(service.namespace, service.name)
        ]
        for workload, node in self._land.at(address):
            if workload.namespace != namespace:
                found.append(Node(Kind.REACHED, node.namespace, node.name))
        return found


def _names(service: Service) -> Iterator[tuple[str, Place]]:
    """The host names that a Service is an alias of."""
    if service.external_name:
        yield service.external_name, service.place.at("spec", "externalName")
    yield from ((each, service.place) for each in service.host_names)


def _requested(service: Object) -> Iterator[tuple[str, Place]]:
    """The addresses that a Service asks for."""
    for index, each in enumerate(listed(service.at("spec", "externalIPs"))):
        yield str(each), service.place.at("spec", "externalIPs", index)
    if service.at("spec", "loadBalancerIP"):
        yield str(service.at("spec", "loadBalancerIP")), service.place.at("spec", "loadBalancerIP")


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
