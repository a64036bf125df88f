"""Everything that the input holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.model.addresses import Address
from audit.model.grants import GATEWAY_API, ReferenceGrant, Referent, Referrer
from audit.model.labels import Labels
from audit.model.objects import Object
from audit.model.permissions import Account, Binding, Role
from audit.model.pods import Namespace, Workload
from audit.model.policies import OpaquePolicy, Policy
from audit.model.services import Route, Service
from audit.model.truth import MAYBE, NO, YES, Truth

_ROUTES_TRAFFIC: Final = re.compile(
    r"(Route|RouteTCP|RouteUDP|VirtualService|VirtualServer|VirtualServerRoute|TransportServer|HTTPProxy|ServiceEntry|"
    r"WorkloadEntry|TraefikService|EnvoyConfig|LocalRedirectPolicy|^Mapping|^TCPMapping)$"
)
"""Kinds of service meshes and of other controllers that send traffic somewhere."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        name: Its name.
        labels: Its labels.
        addresses: Its addresses.
    """

    name: str
    labels: Labels
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The objects of the input, as the audit understands them.

    Attributes:
        namespaces: By name; every namespace that an object stands in is here.
        workloads: What makes pods.
        policies: The policies that are evaluated.
        opaque: The policies that are not.
        services: The Services.
        routes: Ingresses and routes, one for each backend.
        grants: The ReferenceGrants.
        nodes: The nodes.
        roles: Roles and ClusterRoles; these and the next three only if the input was read in detail.
        bindings: RoleBindings and ClusterRoleBindings.
        accounts: ServiceAccounts.
        kept: Every object, by kind.
        objects: How many objects the input holds, of every kind.
    """

    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    workloads: Sequence[Workload] = ()
    policies: Sequence[Policy] = ()
    opaque: Sequence[OpaquePolicy] = ()
    services: Sequence[Service] = ()
    routes: Sequence[Route] = ()
    grants: Sequence[ReferenceGrant] = ()
    nodes: Sequence[Node] = ()
    roles: Sequence[Role] = ()
    bindings: Sequence[Binding] = ()
    accounts: Sequence[Account] = ()
    kept: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    objects: int = 0

    def of_kind(self, *kinds: str) -> list[Object]:
        """The objects of some kinds, in the order of the input for each."""
        return [each for kind in kinds for each in self.kept.get(kind, ())]

    def grants_reference(self, referrer: Referrer, referent: Referent, namespace: str) -> Truth:
        """Whether a namespace allows a reference from another one; not known if the input does not declare it."""
        if referrer.namespace == namespace:
            return YES
        if any(each.namespace == namespace and each.allows(referrer, referent) for each in self.grants):
            return YES
        declared = self.namespaces.get(namespace)
        return MAYBE if declared is None or declared.place is None else NO

    def grant_of(self, route: Route) -> ReferenceGrant | None:
        """The ReferenceGrant that allows a route to lead to another namespace, or None."""
        referrer, referent = _ends(route)
        granting = (each for each in self.grants if each.namespace == route.service_namespace)
        return next((each for each in granting if each.allows(referrer, referent)), None)

    def grants_route(self, route: Route) -> Truth:
        """Whether the namespace of a Service allows a route to lead to it."""
        return self.grants_reference(*_ends(route), route.service_namespace)

    @property
    def opaque_routes(self) -> list[tuple[Object, str]]:
        """Objects that send traffic somewhere and are not evaluated, with the reason; only if read in detail."""
        return [
            (each, f"the audit does not evaluate {each.kind} of {each.group or 'the core group'}")
            for kind, objects in self.kept.items()
            if _ROUTES_TRAFFIC.search(kind)
            for each in objects
            if each.group not in {GATEWAY_API, ""}
        ]

    def autoscalers(self) -> dict[tuple[str, str, str], Object]:
        """The HorizontalPodAutoscalers, by namespace, kind and name of what they scale."""
        found = {}
        for each in self.of_kind("HorizontalPodAutoscaler"):
            kind, name = (str(each.at("spec", "scaleTargetRef", key)) for key in ("kind", "name"))
            found[each.namespace, kind, name] = each
        return found


def _ends(route: Route) -> tuple[Referrer, Referent]:
    """Who refers to what by a route."""
    referent = Referent(route.backend_group, route.backend_kind, route.service)
    return Referrer(GATEWAY_API, route.kind, route.namespace), referent
