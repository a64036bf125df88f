"""Manifests: what objects of a namespace make others do with another namespace: routes and Services."""

from collections.abc import Iterator

from audit.paths.aliases import Aliases
from audit.paths.graph import Kind, Node, Step
from audit.paths.landscape import Landscape
from audit.paths.routes import Routes


class ManifestsPlane:
    """Routes to Services of other namespaces, and Services that are aliases or hold addresses of another namespace."""

    name = "routes and Services"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._routes = Routes(land)
        self._aliases = Aliases(land)

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        inventory = self._land.inventory
        return {"route": len(inventory.routes), "Service": len(inventory.services)}

    @property
    def unknown(self) -> list[str]:
        """Routes of kinds that are not evaluated, and aliases of names outside the cluster."""
        routes = [f"where {each.reference} leads: {reason}" for each, reason in self._land.inventory.opaque_routes]
        return [*routes, *self._aliases.unresolved]

    def steps(self, node: Node) -> Iterator[Step]:
        """What routes and Services of a namespace reach in another."""
        if node.kind is Kind.MANIFESTS:
            yield from self._routes.steps(node.namespace)
            yield from self._aliases.steps(node.namespace)
