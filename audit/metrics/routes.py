"""Which Alertmanager takes which routes, and whose alerts they get."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.metrics.rules import found
from audit.model.finding import Finding, State
from audit.model.inventory import Inventory
from audit.model.objects import Object, mappings
from audit.model.truth import NO, YES, Truth
from audit.wiring.selection import takes

_DEFAULT_STRATEGY = "OnNamespace"


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """An AlertmanagerConfig that an Alertmanager selects.

    Attributes:
        server: The Alertmanager.
        config: The AlertmanagerConfig.
        selected: Whether it certainly does.
        own_only: Whether it gets the alerts of its own namespace only.
        receivers: Names of its receivers.
    """

    server: Object
    config: Object
    selected: Truth
    own_only: bool
    receivers: tuple[str, ...]


def strategy(server: Object) -> str:
    """How an Alertmanager restricts the alerts that a route gets."""
    return str(server.at("spec", "alertmanagerConfigMatcherStrategy", "type") or _DEFAULT_STRATEGY)


def alert_routes(inventory: Inventory) -> Iterator[AlertRoute]:
    """What every Alertmanager of the input selects."""
    for server in inventory.of_kind("Alertmanager"):
        way = strategy(server)
        for each in inventory.of_kind("AlertmanagerConfig"):
            selected = takes(inventory, server, each)
            if selected is NO:
                continue
            own_only = way == "OnNamespace" or (way != "None" and each.namespace != server.namespace)
            receivers = tuple(str(one.get("name")) for one in mappings(each.at("spec", "receivers")))
            yield AlertRoute(server, each, selected, own_only, receivers)


def route_findings(routes: Sequence[AlertRoute]) -> Iterator[Finding]:
    """Routes outside the platform's namespace that get the alerts of others."""
    for each in routes:
        if each.own_only or each.config.namespace == each.server.namespace:
            continue
        yield found(
            "alerts-of-others",
            each.config.place.at("spec", "route"),
            namespace=each.config.namespace,
            subject=each.config.reference,
            message=f"its routes get the alerts of every namespace: {each.server.reference} has the strategy "
            f"{strategy(each.server)}",
            state=State.VIOLATION if each.selected is YES else State.UNDECIDED,
        )
