"""Compares every pod template with the Pod Security Standards and with what its namespace enforces."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.model.permissions import Account
from audit.pods.limits import limit_findings, quota_findings
from audit.pods.standards import NEWEST, Level, violations
from audit.pods.template import Template, templates

if TYPE_CHECKING:
    from audit.model.place import Place

ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_STANDARDS: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_ADMISSION: Final = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"
_TOKENS: Final = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"
_IMAGES: Final = "https://kubernetes.io/docs/concepts/containers/images/#image-names"
_VERSION: Final = re.compile(r"v1\.(\d+)\Z")


def pod_findings(inventory: Inventory) -> Iterator[Finding]:
    """What pod templates may do that they should not, what they lack, and whether quotas hold them."""
    accounts = {(each.namespace, each.name): each for each in inventory.accounts}
    found = list(templates(inventory))
    yield from _namespaces(inventory, found)
    for each in found:
        yield from _security(each, inventory)
        yield from _token(each, accounts.get((each.owner.namespace, each.account)))
        yield from _images(each)
        yield from limit_findings(each, inventory)
    yield from quota_findings(inventory, found)


def enforced(inventory: Inventory, namespace: str) -> tuple[Level, int] | None:
    """What a namespace enforces, or None where that is not known: the input does not declare the namespace.

    A level that does not exist counts as restricted, as for the API server.
    """
    found = inventory.namespaces.get(namespace)
    if found is None or found.place is None:
        return None
    level = found.labels.known.get(ENFORCE, Level.PRIVILEGED)
    version = _VERSION.match(found.labels.known.get(f"{ENFORCE}-version", ""))
    minor = int(version[1]) if version else NEWEST
    return Level(level) if level in set(Level) else Level.RESTRICTED, minor


def _namespaces(inventory: Inventory, found: list[Template]) -> Iterator[Finding]:
    """Namespaces with pods in which no level, or the most permissive one, is enforced."""
    for name in dict.fromkeys(each.owner.namespace for each in found):
        level = enforced(inventory, name)
        place = inventory.namespaces[name].place if name in inventory.namespaces else None
        if level is None or level[0] is not Level.PRIVILEGED or place is None:
            continue
        yield finding(
            place.at("metadata", "labels"),
            rule="pod-security-not-enforced",
            severity=Severity.HIGH,
            namespace=name,
            subject=f"Namespace {name}",
            message="it does not enforce Pod Security, so pods may use the node's network, files and devices",
            fix=f"Label it {ENFORCE}: restricted (or baseline).",
            source=_ADMISSION,
        )


def _security(template: Template, inventory: Inventory) -> Iterator[Finding]:
    rule = enforced(inventory, template.owner.namespace)
    level, version = rule or (Level.PRIVILEGED, NEWEST)
    refused = {each.path for each in violations(template, level, version)}
    # What both levels forbid counts as forbidden by baseline.
    both = (*violations(template, Level.BASELINE, version), *violations(template, Level.RESTRICTED, version))
    for each in {violation.path: violation for violation in reversed(both)}.values():
        severity = Severity.HIGH if each.level is Level.BASELINE else Severity.MEDIUM
        says = f"; its namespace enforces {level}, so the API server refuses the pods" if each.path in refused else ""
        yield finding(
            template.owner.place.at(*template.path, *each.path),
            rule=f"pod-{each.check}",
            severity=severity,
            namespace=template.owner.namespace,
            subject=template.owner.reference,
            message=f"{each.message} (the level {each.level} forbids that){says}",
            fix=f"Meet the control {each.check} of the level {each.level}.",
            source=f"{_STANDARDS}#{each.level}",
        )


def _token(template: Template, account: Account | None) -> Iterator[Finding]:
    own = template.spec.get("automountServiceAccountToken")
    of_account = account.mounts_token if account else True
    if own is False or (own is None and not of_account):
        return
    place: Place = template.owner.place.at(*template.path, "spec")
    yield finding(
        place.at("automountServiceAccountToken") if own else place,
        rule="pod-token",
        severity=Severity.LOW,
        namespace=template.owner.namespace,
        subject=template.owner.reference,
        message=f"its pods get the token of the ServiceAccount {template.account}",
        fix="Set automountServiceAccountToken to false unless the program uses the API.",
        source=_TOKENS,
        state=State.WARNING,
    )


def _images(template: Template) -> Iterator[Finding]:
    for each in template.containers:
        image = str(each.data.get("image") or "")
        if "@sha256:" in image or not image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        moving = tag in {"", "latest"}
        yield finding(
            template.owner.place.at(*template.path, "spec", *each.path, "image"),
            rule="pod-image",
            severity=Severity.MEDIUM if moving else Severity.LOW,
            namespace=template.owner.namespace,
            subject=template.owner.reference,
            message=f"the image {image} has no digest, so what runs may change"
            + (" with every new pod" if moving else ""),
            fix="Add the digest: NAME:TAG@sha256:...",
            source=_IMAGES,
            state=State.WARNING,
        )
