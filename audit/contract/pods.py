"""The part of a contract about pods: the level of Pod Security, priorities and networks."""

from collections.abc import Iterator, Mapping
from typing import Final

from audit.contract.document import Contract, Tenant
from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.pods import Level, Template, violations
from audit.pods.findings import ENFORCE, enforced
from audit.pods.template import templates

_LEVELS: Final = list(Level)
_PRIORITIES: Final = "https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/"
_SYSTEM: Final = "system-"
"""How the names of the priority classes of Kubernetes' own components begin."""


def pod_findings(contract: Contract, inventory: Inventory, tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    """Namespaces that enforce too little, and templates with violations, a system priority or another network.

    Args:
        contract: What is meant to be possible.
        inventory: The input.
        tenants: The tenants by their namespaces.
    """
    wanted = Level(contract.spec.pod_security)
    yield from _namespaces(wanted, inventory, tenants)
    for template in templates(inventory):
        if template.owner.namespace in tenants:
            yield from _violations(template, wanted)
            yield from _priority(template)
            yield from _networks(template)


def _namespaces(wanted: Level, inventory: Inventory, tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    for space in tenants:
        level, namespace = enforced(inventory, space), inventory.namespaces.get(space)
        if level is None or namespace is None or namespace.place is None:
            continue
        if _LEVELS.index(level[0]) < _LEVELS.index(wanted):
            yield finding(
                namespace.place.at("metadata", "labels", ENFORCE),
                rule="pod-security-level",
                severity=Severity.CRITICAL,
                namespace=space,
                subject=f"Namespace {space}",
                message=f"it enforces the level {level[0]}; the contract asks for {wanted}",
                fix=f"Label it {ENFORCE}: {wanted}.",
            )


def _violations(template: Template, wanted: Level) -> Iterator[Finding]:
    for each in violations(template, wanted):
        yield finding(
            template.owner.place.at(*template.path, *each.path),
            rule=f"pod-{each.check}",
            severity=Severity.HIGH,
            namespace=template.owner.namespace,
            subject=template.owner.reference,
            message=f"{each.message}; the contract asks for the level {wanted}",
            fix=f"Meet the control {each.check} of the level {each.level}.",
            source=f"https://kubernetes.io/docs/concepts/security/pod-security-standards/#{each.level}",
        )


def _priority(template: Template) -> Iterator[Finding]:
    """Pods with a priority with which they can evict the pods of every other tenant."""
    name = str(template.spec.get("priorityClassName") or "")
    if name.startswith(_SYSTEM):
        yield finding(
            template.owner.place.at(*template.path, "spec", "priorityClassName"),
            rule="pod-system-priority",
            severity=Severity.HIGH,
            namespace=template.owner.namespace,
            subject=template.owner.reference,
            message=f"its pods have the priority {name}, which is for Kubernetes' own, so they evict pods of others",
            fix="Use another PriorityClass, or none.",
            source=_PRIORITIES,
        )


def _networks(template: Template) -> Iterator[Finding]:
    """Pods in networks to which the policies of the cluster do not apply."""
    for name, place in template.networks:
        yield finding(
            place,
            rule="network-not-evaluated",
            severity=Severity.HIGH,
            namespace=template.owner.namespace,
            subject=template.owner.reference,
            message=f"its pods are in the network {name}, too, to which network policies do not apply",
            fix="Check by hand which other pods are in it, then waive the finding.",
            state=State.UNDECIDED,
        )
