"""The part of a contract about routes: which lead to a tenant, and which ReferenceGrants allow more."""

from collections.abc import Iterator, Mapping

from audit.changes.facts import grant_text, route_text
from audit.contract.document import Tenant
from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory


def route_findings(inventory: Inventory, tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    """Routes and ReferenceGrants that the contract does not allow, and routes that the audit does not evaluate.

    Args:
        inventory: The input.
        tenants: The tenants by their namespaces.
    """
    yield from _routes(inventory, tenants)
    yield from _grants(inventory, tenants)
    for each, reason in inventory.opaque_routes:
        if each.namespace in tenants:
            yield finding(
                each.place,
                rule="route-not-evaluated",
                severity=Severity.MEDIUM,
                namespace=each.namespace,
                subject=each.reference,
                message=f"it may lead out of the tenant, and {reason}",
                fix="Check it by hand, and waive the finding.",
                state=State.UNDECIDED,
            )


def _routes(inventory: Inventory, tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    """Routes of a tenant that lead out of it, and routes to a tenant that may have none."""
    for route in inventory.routes:
        owner, target = tenants.get(route.namespace), tenants.get(route.service_namespace)
        leads_out = owner is not None and target is not owner
        if leads_out or (target is not None and not target.routes):
            yield finding(
                route.place,
                rule="route-to-tenant",
                severity=Severity.MEDIUM,
                namespace=route.namespace if owner else route.service_namespace,
                subject=f"{route.kind} {route.namespace}/{route.name}",
                message=route_text(route),
                fix="Remove the route, or allow routes to the tenant in the contract.",
            )


def _grants(inventory: Inventory, tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    """ReferenceGrants of a tenant that let others refer to its objects, unless it may have routes from outside."""
    for grant in inventory.grants:
        owner = tenants.get(grant.namespace)
        if owner is None:
            continue
        only_routes = owner.routes and all(each.kind == "Service" for each in grant.referents)
        for index, each in enumerate(grant.referrers):
            if each.namespace in owner.spaces or (only_routes and each.namespace not in tenants):
                continue
            yield finding(
                grant.place.at("spec", "from", index),
                rule="reference-grant",
                severity=Severity.HIGH,
                namespace=grant.namespace,
                subject=f"ReferenceGrant {grant.namespace}/{grant.name}",
                message=grant_text(grant, each),
                fix="Remove the entry, or allow routes to the tenant in the contract.",
            )
