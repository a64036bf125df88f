"""Services and their endpoints."""

import ipaddress
from typing import Any, Final

from audit.model.labels import Requirement, Selector
from audit.model.place import Place
from audit.model.services import Backend, Service, ServicePort
from audit.reading import checks, schema

_NAMES: Final = "FQDN"
"""The type of addresses that are host names."""


def service(data: dict[str, Any], namespace: str, name: str, place: Place) -> Service:
    """A Service from plain data, without its endpoints.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = checks.convert(data.get("spec") or {}, schema.ServiceSpec, ("spec",))
    selector = checks.labels(spec.selector, ("spec", "selector"))
    addresses = [text for text in (spec.cluster_ip, *(spec.cluster_ips or ())) if text and text != "None"]
    ports = [
        ServicePort(
            number=port.port,
            protocol=checks.protocol(port.protocol, ("spec", "ports", index, "protocol")),
            name=port.name or "",
            target=port.port if port.target_port is None or port.target_port == 0 else port.target_port,
            node_port=port.node_port,
        )
        for index, port in enumerate(spec.ports or ())
    ]
    requirements = tuple(Requirement(key, "In", frozenset({value})) for key, value in sorted(selector.items()))
    return Service(
        namespace=namespace,
        name=name,
        type=spec.type or "ClusterIP",
        selector=Selector(requirements) if requirements else None,
        ports=tuple(ports),
        cluster_ips=tuple(dict.fromkeys(map(ipaddress.ip_address, addresses))),
        external_ips=tuple(spec.external_ips or ()),
        external_name=spec.external_name or "",
        headless=spec.cluster_ip == "None",
        allocates_node_ports=spec.allocate_load_balancer_node_ports is not False,
        backends=(),
        host_names=(),
        place=place,
    )


def endpoints(data: dict[str, Any]) -> list[Backend]:
    """The addresses of an Endpoints object.

    Raises:
        InvalidError: The API server would reject it.
    """
    subsets = checks.convert(data.get("subsets") or [], list[schema.EndpointSubset], ("subsets",))
    return [
        _backend(address.ip, subset.ports, address.target_ref)
        for subset in subsets
        for address in subset.addresses or ()
    ]


def endpoint_slice(data: dict[str, Any]) -> list[Backend]:
    """The addresses of an EndpointSlice.

    Raises:
        InvalidError: The API server would reject it.
    """
    if data.get("addressType") == _NAMES:
        return []
    found = checks.convert(data.get("endpoints") or [], list[schema.SliceEndpoint], ("endpoints",))
    ports = checks.convert(data.get("ports") or [], list[schema.EndpointPort], ("ports",))
    return [_backend(address, ports, each.target_ref) for each in found for address in each.addresses]


def host_names(data: dict[str, Any]) -> list[str]:
    """The host names of an EndpointSlice.

    Raises:
        InvalidError: The API server would reject it.
    """
    if data.get("addressType") != _NAMES:
        return []
    found = checks.convert(data.get("endpoints") or [], list[schema.SliceEndpoint], ("endpoints",))
    return [address for each in found for address in each.addresses]


def _backend(address: str, ports: list[schema.EndpointPort] | None, target: schema.TargetRef | None) -> Backend:
    numbers = tuple((port.name or "", port.protocol or "TCP", port.port) for port in ports or () if port.port)
    pod = target.name or "" if target and target.kind == "Pod" else ""
    return Backend(ipaddress.ip_address(address), numbers, pod)
