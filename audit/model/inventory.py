"""Everything that the input holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.model.addresses import Address
from audit.model.labels import Labels
from audit.model.objects import Object
from audit.model.permissions import Account, Binding, Role
from audit.model.pods import Namespace, Workload
from audit.model.policies import OpaquePolicy, Policy
from audit.model.services import Route, Service


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
    nodes: Sequence[Node] = ()
    roles: Sequence[Role] = ()
    bindings: Sequence[Binding] = ()
    accounts: Sequence[Account] = ()
    kept: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    objects: int = 0

    def of_kind(self, *kinds: str) -> list[Object]:
        """The objects of some kinds, in the order of the input for each."""
        return [each for kind in kinds for each in self.kept.get(kind, ())]

    def autoscalers(self) -> dict[tuple[str, str, str], Object]:
        """The HorizontalPodAutoscalers, by namespace, kind and name of what they scale."""
        found = {}
        for each in self.of_kind("HorizontalPodAutoscaler"):
            kind, name = (str(each.at("spec", "scaleTargetRef", key)) for key in ("kind", "name"))
            found[each.namespace, kind, name] = each
        return found
