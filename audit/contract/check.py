"""Compares an input with a contract."""

from collections.abc import Iterator

import msgspec

from audit.changes.facts import services, unrestricted
from audit.changes.values import mentioned, strings
from audit.cluster import Cluster
from audit.contract.document import Contract, Holder, Tenant
from audit.contract.network import network_findings
from audit.contract.pods import pod_findings
from audit.contract.routes import route_findings
from audit.metrics import OPEN_TO_ALL, Metrics
from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.model.permissions import EVERYBODY, Subject
from audit.model.place import Place
from audit.permissions.consequences import of_rule
from audit.permissions.permissions import Grant, parts
from audit.pods.template import templates


def contract_findings(contract: Contract, cluster: Cluster) -> Iterator[Finding]:
    """What an input allows beyond a contract, and what it leaves open.

    Args:
        contract: What is meant to be possible.
        cluster: The input, read in detail.
    """
    inventory = cluster.inventory
    tenants = {space: tenant for tenant in contract.spec.tenants for space in tenant.spaces}
    yield from _absent(tenants, inventory)
    yield from network_findings(contract, inventory)
    yield from _facts(cluster, tenants)
    yield from route_findings(inventory, tenants)
    yield from _permissions(contract, cluster, tenants)
    yield from pod_findings(contract, inventory, tenants)
    yield from _metrics(cluster, tenants)
    yield from _quotas(contract, inventory, tenants)
    yield from _names(inventory, tenants)


def _absent(tenants: dict[str, Tenant], inventory: Inventory) -> Iterator[Finding]:
    """Namespaces of the contract that the input does not declare: nothing about them is known."""
    place = next((each.place for objects in inventory.kept.values() for each in objects), None)
    for space in tenants:
        namespace = inventory.namespaces.get(space)
        if place is not None and (namespace is None or namespace.place is None):
            yield finding(
                place,
                rule="namespace-not-declared",
                severity=Severity.HIGH,
                namespace=space,
                subject=f"Namespace {space}",
                message="the contract names it and the input does not declare it, so what it enforces is not known",
                fix="Add its manifest to the input, or remove the tenant from the contract.",
                state=State.UNDECIDED,
            )


def _facts(cluster: Cluster, tenants: dict[str, Tenant]) -> Iterator[Finding]:
    """Pods that no policy restricts, and Services that lead outside."""
    for rule, found in (
        ("network-unrestricted", unrestricted(cluster)),
        ("service-leads-outside", services(cluster)),
    ):
        for fact in found:
            if fact.namespace in tenants:
                file, line = fact.places[0]
                yield Finding(
                    rule=rule,
                    state=State.VIOLATION,
                    severity=fact.risk,
                    namespace=fact.namespace,
                    subject=fact.subject,
                    message=fact.text,
                    fix="Restrict it, as every tenant of the contract is.",
                    source="",
                    file=file,
                    line=line,
                )


def _permissions(contract: Contract, cluster: Cluster, tenants: dict[str, Tenant]) -> Iterator[Finding]:
    for grant in cluster.permissions.grants:
        if grant.default:
            continue
        owner = tenants.get(grant.subject.home)
        if owner is not None and grant.namespace in owner.spaces:
            yield from _own(grant, owner)
        elif owner is not None:
            message = f"it has permissions outside its tenant: {grant.where}"
            yield _grant(grant, "permission-outside-tenant", Severity.CRITICAL, message)
        elif grant.namespace in tenants or not grant.namespace:
            yield from _foreign(grant, tenants.get(grant.namespace), contract)
    for binding in cluster.permissions.missing:
        of_tenant = binding.namespace in tenants or any(each.home in tenants for each in binding.subjects)
        if of_tenant or not binding.namespace:
            gives = f"it gives {binding.role_reference}, which the input does not hold"
            yield finding(
                binding.place.at("roleRef", "name"),
                rule="permission-role-not-declared",
                severity=Severity.HIGH,
                namespace=binding.namespace,
                subject=binding.reference,
                message=f"{gives}, so what it allows is not known",
                fix="Add the role to the input, or remove the binding.",
                state=State.UNDECIDED,
            )


def _own(grant: Grant, owner: Tenant) -> Iterator[Finding]:
    """What follows from permissions of the tenant's own accounts, at the line of the resource."""
    for part, place in parts(grant.rule):
        for consequence, severity in of_rule(part, cluster_wide=False):
            if consequence.name not in owner.consequences:
                message = f"in its own namespace it {consequence.sentence}, which the contract does not allow"
                at = grant.binding.place.at("roleRef", "name") if grant.role.default or place is None else place
                found = _grant(grant, f"permission-{consequence.name}", severity, message, at=at)
                yield msgspec.structs.replace(found, source=consequence.source)


def _foreign(grant: Grant, tenant: Tenant | None, contract: Contract) -> Iterator[Finding]:
    """Permissions of somebody outside the tenant, or in the whole cluster."""
    holders = [*contract.spec.holders, *(tenant.holders if tenant else ())]
    allowed = [each for each in holders if _is(each, grant.subject)]
    may = {name for each in allowed for name in each.consequences}
    consequences = [
        each for each, _severity in of_rule(grant.rule, cluster_wide=not grant.namespace) if each.name not in may
    ]
    if allowed and not consequences:
        return
    if not consequences and not grant.namespace and grant.subject.name not in EVERYBODY:
        return  # nothing in a tenant follows from it
    follows = f": {', '.join(each.name for each in consequences)}" if consequences else ""
    message = f"it is outside the tenant and has permissions {grant.where}{follows}"
    # Whether a user or a group belongs to the tenant cannot be seen in YAML.
    certain = grant.subject.kind == "ServiceAccount" or grant.subject.name in EVERYBODY or allowed
    state = State.VIOLATION if certain else State.UNDECIDED
    yield _grant(grant, "permission-from-outside", Severity.HIGH, message, state=state)


def _is(holder: Holder, subject: Subject) -> bool:
    name = f"{subject.namespace}/{subject.name}" if subject.kind == "ServiceAccount" else subject.name
    return (holder.kind, holder.name) == (subject.kind, name)


def _grant(
    grant: Grant,
    rule: str,
    severity: Severity,
    message: str,
    *,
    state: State = State.VIOLATION,
    at: Place | None = None,
) -> Finding:
    binding = grant.binding
    bound = binding.place.at("subjects", binding.subjects.index(grant.subject), "name")
    return finding(
        at or bound,
        rule=rule,
        severity=severity,
        namespace=grant.namespace or grant.subject.namespace,
        subject=str(grant.subject),
        message=f"{message} ({grant.role.reference} by {binding.reference})",
        fix="Remove the rule or the subject, or allow it in the contract.",
        state=state,
    )


def _metrics(cluster: Cluster, tenants: dict[str, Tenant]) -> Iterator[Finding]:
    """Monitors and alert routes of tenants beyond their namespace, and who reads the metrics of all."""
    for each in Metrics(cluster).isolation_findings(tenants):
        if each.state is not State.WARNING and (each.namespace in tenants or each.rule in OPEN_TO_ALL):
            yield each


def _quotas(contract: Contract, inventory: Inventory, tenants: dict[str, Tenant]) -> Iterator[Finding]:
    have = {each.namespace for each in inventory.of_kind("ResourceQuota")}
    for space in tenants if contract.spec.quota else ():
        namespace = inventory.namespaces.get(space)
        if space not in have and namespace is not None and namespace.place is not None:
            yield finding(
                namespace.place,
                rule="quota-missing",
                severity=Severity.MEDIUM,
                namespace=space,
                subject=f"Namespace {space}",
                message="it has no ResourceQuota, so the tenant can take the capacity of others",
                fix="Add a ResourceQuota.",
            )


def _names(inventory: Inventory, tenants: dict[str, Tenant]) -> Iterator[Finding]:
    """Values of containers that name another tenant: its model, its Service, its database."""
    for template in templates(inventory):
        owner = tenants.get(template.owner.namespace)
        if owner is None:
            continue
        shared = {each.peer.namespace for each in owner.egress}
        for container in template.containers:
            for path, value in strings(container.data, container.path):
                for other in sorted(mentioned(value, tenants).difference(owner.spaces, shared)):
                    yield finding(
                        template.owner.place.at(*template.path, "spec", *path),
                        rule="names-other-tenant",
                        severity=Severity.HIGH,
                        namespace=template.owner.namespace,
                        subject=template.owner.reference,
                        message=f"a value of container {container.name} names the tenant {other}: {value[:120]}",
                        fix=f"Use what belongs to the tenant, or allow egress to {other} in the contract.",
                        state=State.WARNING,
                    )
