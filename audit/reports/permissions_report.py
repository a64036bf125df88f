"""Who may do what, in the form that every format prints."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from audit.cluster import Cluster
from audit.model.finding import Severity, general
from audit.model.permissions import Request
from audit.permissions import Grant, Permissions, groups_of
from audit.permissions.consequences import ALL, of_rule
from audit.permissions.defaults import defaults
from audit.reports.words import place

SCHEMA: Final = "tenantry.dev/audit/permissions/v1"
WHO_CAN_SCHEMA: Final = "tenantry.dev/audit/who-can/v1"
OWN_NAMESPACE: Final = "its own namespace"
EVERYWHERE: Final = "the whole cluster"


class GrantItem(Struct, frozen=True, rename="camel", kw_only=True):
    """A rule that a binding gives.

    Attributes:
        subject: Who gets it.
        where: A namespace, "its own namespace", or "the whole cluster".
        verbs: What may be done.
        resources: With what, as in pods/exec or deployments.apps; or paths such as /metrics.
        names: Names that the rule is limited to; empty for all.
        role: The role, in words.
        binding: The binding, in words.
        default: Whether every new cluster has it.
        file: File of the rule.
        line: Its line.
        binding_file: File of the binding.
        binding_line: Its line.
    """

    subject: str
    where: str
    verbs: list[str]
    resources: list[str]
    names: list[str]
    role: str
    binding: str
    default: bool
    file: str
    line: int
    binding_file: str
    binding_line: int


class ConsequenceItem(Struct, frozen=True, rename="camel", kw_only=True):
    """What follows from a permission.

    Attributes:
        rule: Its stable name.
        severity: critical, high, medium or low.
        where: Where it holds.
        sentence: What the holder can do.
        source: Where that is documented.
        default: Whether every new cluster has it.
        file: File of the rule that it follows from.
        line: Its line.
    """

    rule: str
    severity: Severity
    where: str
    sentence: str
    source: str
    default: bool
    file: str
    line: int


class Holder(Struct, frozen=True, rename="camel", kw_only=True):
    """Accounts, users or groups with the same permissions, each seen from its own namespace.

    Attributes:
        label: Its name, or the pattern that the names share.
        members: Their names; accounts as system:serviceaccount:NAMESPACE:NAME.
        grants: What they may do; places are those of the first member.
        consequences: What follows from it.
    """

    label: str
    members: list[str]
    grants: list[GrantItem]
    consequences: list[ConsequenceItem]


class PermissionsReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Who may do what.

    Attributes:
        schema: Name and version of this form.
        kubernetes: Version of the cluster that the defaults were read from.
        holders: Who has permissions through what the input holds.
        defaults: Who has permissions in every new cluster.
        missing: Bindings that name a role which is neither in the input nor a default.
        problems: What is invalid in the input.
    """

    schema: str = SCHEMA
    kubernetes: str
    holders: list[Holder]
    defaults: list[Holder]
    missing: list[str]
    problems: list[str]


class WhoCanReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Who may make a request.

    Attributes:
        schema: Name and version of this form.
        request: The request, in words.
        kubernetes: Version of the cluster that the defaults were read from.
        grants: The rules of the input and the defaults that allow it.
        missing: Bindings that name a role which is neither in the input nor a default.
        problems: What is invalid in the input.
    """

    schema: str = WHO_CAN_SCHEMA
    request: str
    kubernetes: str
    grants: list[GrantItem]
    missing: list[str]
    problems: list[str]


def permissions_report(cluster: Cluster, user: str | None = None, groups: Sequence[str] = ()) -> PermissionsReport:
    """What every holder of permissions may do, or one user.

    Args:
        cluster: The cluster.
        user: Only this user with its groups; `system:serviceaccount:NAMESPACE:NAME` for an account.
        groups: Groups of the user besides those that the API server gives to it.
    """
    permissions = cluster.permissions
    holders: dict[str, list[Grant]] = {}
    if user is not None:
        holders[user] = list(permissions.of(user, [*groups_of(user), *groups]))
    else:
        for grant in permissions.grants:
            holders.setdefault(str(grant.subject), []).append(grant)
    own = {name: [each for each in grants if not each.default] for name, grants in holders.items()}
    default = {name: [each for each in grants if each.default] for name, grants in holders.items()}
    return PermissionsReport(
        kubernetes=defaults().kubernetes,
        holders=_holders(own, user),
        defaults=_holders(default, user),
        missing=_missing(permissions),
        problems=[str(problem) for problem in cluster.problems],
    )


def who_can_report(cluster: Cluster, request: Request) -> WhoCanReport:
    """Who may make a request."""
    permissions = cluster.permissions
    grants = [_item(each, "") for each in permissions.who_can(request)]
    return WhoCanReport(
        request=str(request),
        kubernetes=defaults().kubernetes,
        grants=sorted(grants, key=lambda each: each.default),
        missing=_missing(permissions),
        problems=[str(problem) for problem in cluster.problems],
    )


def _missing(permissions: Permissions) -> list[str]:
    return [
        f"{each.reference} gives {'Role' if each.role_namespace else 'ClusterRole'} {each.role}, which the input does"
        f" not hold ({place(each.place)})"
        for each in permissions.missing
    ]


def _holders(grants: dict[str, list[Grant]], user: str | None) -> list[Holder]:
    groups: dict[object, list[tuple[str, list[GrantItem]]]] = {}
    found: dict[str, list[Grant]] = {}
    for name, given in grants.items():
        if not given and user is None:
            continue
        found[name] = given
        own = _namespace(name)
        items = [_item(each, own) for each in given]
        alike = (general(name, own), *sorted({_behaviour(each, own) for each in items}))
        groups.setdefault(alike, []).append((name, items))
    result = []
    for members in groups.values():
        name, items = members[0]
        names = [member for member, _items in members]
        label = general(name, _namespace(name)) if len(names) > 1 else name
        consequences = list(_consequences(found[name], _namespace(name)))
        result.append(Holder(label=label, members=names, grants=items, consequences=consequences))
    return result


def _namespace(name: str) -> str:
    parts = name.split(":")
    return parts[2] if name.startswith("system:serviceaccount:") and len(parts) == 4 else ""  # noqa: PLR2004


def _behaviour(item: GrantItem, own: str) -> tuple[object, ...]:
    """What tells a grant from others, without places."""
    names = tuple(general(each, own) for each in item.names)
    role = general(item.role, own)
    return item.where, tuple(item.verbs), tuple(item.resources), names, role, general(item.binding, own), item.default


def _where(grant: Grant, own: str) -> str:
    if not grant.namespace:
        return EVERYWHERE
    return OWN_NAMESPACE if grant.namespace == own else f"namespace {grant.namespace}"


def _item(grant: Grant, own: str) -> GrantItem:
    rule, binding = grant.rule, grant.binding.place
    at = rule.place or grant.role.place
    return GrantItem(
        subject=str(grant.subject),
        where=_where(grant, own),
        verbs=list(rule.verbs),
        resources=rule.written,
        names=list(rule.names),
        role=grant.role.reference,
        binding=grant.binding.reference,
        default=grant.default,
        file=at.file,
        line=at.line,
        binding_file=binding.file,
        binding_line=binding.line,
    )


def _consequences(grants: list[Grant], own: str) -> Iterator[ConsequenceItem]:
    """What follows from grants, each once and with the first rule that it follows from, the worst first."""
    found: dict[tuple[str, str], ConsequenceItem] = {}
    for grant in grants:
        for consequence, severity in of_rule(grant.rule, cluster_wide=not grant.namespace):
            where = _where(grant, own)
            if (consequence.name, where) in found:
                continue
            at = grant.rule.place or grant.role.place
            found[consequence.name, where] = ConsequenceItem(
                rule=consequence.name,
                severity=severity,
                where=where,
                sentence=consequence.sentence,
                source=consequence.source,
                default=grant.default,
                file=at.file,
                line=at.line,
            )
    order = list(ALL)
    yield from sorted(found.values(), key=lambda each: (each.severity.rank, order.index(each.rule)))
