"""Services, their endpoints, and the routes that lead to them."""

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from audit.model.labels import Requirement, Selector
from audit.model.place import Path, Place
from audit.model.services import Backend, Route, Service, ServicePort
from audit.reading import checks, schema

ROUTE_KINDS: Final = {"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"}


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
        backends=(),
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
    if data.get("addressType") == "FQDN":
        return []
    found = checks.convert(data.get("endpoints") or [], list[schema.SliceEndpoint], ("endpoints",))
    ports = checks.convert(data.get("ports") or [], list[schema.EndpointPort], ("ports",))
    return [_backend(address, ports, each.target_ref) for each in found for address in each.addresses]


def _backend(address: str, ports: list[schema.EndpointPort] | None, target: schema.TargetRef | None) -> Backend:
    numbers = tuple((port.name or "", port.protocol or "TCP", port.port) for port in ports or () if port.port)
    pod = target.name or "" if target and target.kind == "Pod" else ""
    return Backend(ipaddress.ip_address(address), numbers, pod)


def routes(kind: str, data: dict[str, Any], namespace: str, name: str, place: Place) -> Iterator[Route]:
    """The backends of an Ingress or of a Gateway API route, one route each."""
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    found = _ingress_backends(spec) if kind == "Ingress" else _gateway_backends(spec)
    if kind == "Ingress":
        annotated = ((data.get("metadata") or {}).get("annotations") or {}).get("kubernetes.io/ingress.class")
        parents = tuple(str(each) for each in (spec.get("ingressClassName") or annotated,) if each)
    else:
        parents = tuple(_reference(each, namespace) for each in _dicts(spec.get("parentRefs")))
    for hosts, service_namespace, service_name, port, path in found:
        yield Route(
            kind=kind,
            namespace=namespace,
            name=name,
            hosts=hosts,
            parents=parents,
            service_namespace=service_namespace or namespace,
            service=service_name,
            port=port,
            place=place.at(*path),
        )


_Found = tuple[tuple[str, ...], str, str, int | str | None, Path]


def _ingress_backends(spec: dict[str, Any]) -> Iterator[_Found]:
    default = spec.get("defaultBackend")
    if isinstance(default, dict):
        yield from _ingress_backend((), default, ("spec", "defaultBackend"))
    for index, rule in enumerate(_dicts(spec.get("rules"))):
        hosts = (str(rule["host"]),) if rule.get("host") else ()
        for number, entry in enumerate(_dicts((rule.get("http") or {}).get("paths"))):
            where: Path = ("spec", "rules", index, "http", "paths", number, "backend")
            yield from _ingress_backend(hosts, entry.get("backend") or {}, where)


def _ingress_backend(hosts: tuple[str, ...], backend: dict[str, Any], path: Path) -> Iterator[_Found]:
    target = backend.get("service")
    if isinstance(target, dict) and target.get("name"):
        port = target.get("port") or {}
        yield hosts, "", str(target["name"]), port.get("number") or port.get("name"), path


def _gateway_backends(spec: dict[str, Any]) -> Iterator[_Found]:
    hosts = tuple(map(str, spec.get("hostnames") or ()))
    for index, rule in enumerate(_dicts(spec.get("rules"))):
        for number, backend in enumerate(_dicts(rule.get("backendRefs"))):
            if backend.get("kind", "Service") == "Service" and backend.get("name"):
                where: Path = ("spec", "rules", index, "backendRefs", number)
                yield hosts, str(backend.get("namespace") or ""), str(backend["name"]), backend.get("port"), where


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _reference(parent: dict[str, Any], namespace: str) -> str:
    return f"{parent.get('kind', 'Gateway')} {parent.get('namespace') or namespace}/{parent.get('name')}"
