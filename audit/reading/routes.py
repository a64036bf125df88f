"""Ingresses and Gateway API routes: which Services they lead to."""

from collections.abc import Iterator
from typing import Any, Final

from audit.model.place import Path, Place
from audit.model.services import Route
from audit.reading import checks, schema

ROUTE_KINDS: Final = {"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"}
_BACKENDS: Final = {"Service", "ServiceImport"}
_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"


def ingress(data: dict[str, Any], namespace: str, name: str, place: Place) -> Iterator[Route]:
    """The backends of an Ingress, one route each.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = checks.convert(data.get("spec") or {}, schema.IngressSpec, ("spec",))
    metadata = checks.convert(data.get("metadata") or {}, schema.Metadata, ("metadata",))
    parent = spec.ingress_class_name or str((metadata.annotations or {}).get(_CLASS_ANNOTATION) or "")
    found: list[tuple[str, schema.IngressBackend | None, Path]] = [
        ("", spec.default_backend, ("spec", "defaultBackend")),
    ]
    for index, rule in enumerate(spec.rules or ()):
        for number, entry in enumerate((rule.http.paths if rule.http else None) or ()):
            path: Path = ("spec", "rules", index, "http", "paths", number, "backend")
            found.append((rule.host or "", entry.backend, path))
    for host, backend, path in found:
        if backend is None or backend.service is None:
            continue
        port = backend.service.port or schema.IngressPort()
        yield Route(
            kind="Ingress",
            namespace=namespace,
            name=name,
            hosts=(host,) if host else (),
            parents=(parent,) if parent else (),
            service_namespace=namespace,
            service=backend.service.name,
            port=port.number or port.name,
            place=place.at(*path),
        )


def gateway_route(kind: str, data: dict[str, Any], namespace: str, name: str, place: Place) -> Iterator[Route]:
    """The Services that a Gateway API route leads to, one route each.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = checks.convert(data.get("spec") or {}, schema.RouteSpec, ("spec",))
    parents = (f"{each.kind} {each.namespace or namespace}/{each.name}" for each in spec.parent_refs or ())
    parent_names = tuple(parents)
    for index, rule in enumerate(spec.rules or ()):
        for path, backend in _backends(rule, ("spec", "rules", index)):
            if backend.kind not in _BACKENDS:
                continue
            yield Route(
                kind=kind,
                namespace=namespace,
                name=name,
                hosts=tuple(spec.hostnames or ()),
                parents=parent_names,
                service_namespace=backend.namespace or namespace,
                service=backend.name,
                port=backend.port,
                place=place.at(*path),
                backend_group=backend.group or "",
                backend_kind=backend.kind,
            )


def _backends(rule: schema.RouteRule, path: Path) -> Iterator[tuple[Path, schema.BackendRef]]:
    """Where a rule and its filters send requests, with the paths."""
    yield from _mirrors(rule.filters, (*path, "filters"))
    for number, backend in enumerate(rule.backend_refs or ()):
        yield (*path, "backendRefs", number), backend
        yield from _mirrors(backend.filters, (*path, "backendRefs", number, "filters"))


def _mirrors(filters: list[schema.RouteFilter] | None, path: Path) -> Iterator[tuple[Path, schema.BackendRef]]:
    for number, each in enumerate(filters or ()):
        if each.request_mirror is not None and each.request_mirror.backend_ref is not None:
            yield (*path, number, "requestMirror", "backendRef"), each.request_mirror.backend_ref
