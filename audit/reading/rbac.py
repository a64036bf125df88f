"""Role, ClusterRole, RoleBinding, ClusterRoleBinding and ServiceAccount from plain data."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from audit.model.labels import Selector
from audit.model.objects import Object
from audit.model.permissions import Account, Binding, PolicyRule, Role, Subject
from audit.model.place import Path
from audit.reading import checks, policy_schema, schema
from audit.reading.checks import InvalidError

GROUP: Final = "rbac.authorization.k8s.io"
_SUBJECTS: Final = ("ServiceAccount", "User", "Group")


class _Open(Struct, rename="camel"):
    """Ignores fields that it does not list."""


class _Rule(_Open):
    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    paths: list[str] | None = msgspec.field(default=None, name="nonResourceURLs")


class _Aggregation(_Open):
    cluster_role_selectors: list[policy_schema.LabelSelector] | None = None


class _Role(_Open):
    metadata: schema.Metadata
    rules: list[dict[str, Any]] | None = None
    aggregation_rule: _Aggregation | None = None


class _Subject(_Open):
    kind: str
    name: str
    namespace: str | None = None


class _RoleRef(_Open):
    kind: str
    name: str


class _Binding(_Open):
    role_ref: _RoleRef
    subjects: list[_Subject] | None = None


class _Account(_Open):
    automount_service_account_token: bool | None = None


def role(given: Object, *, default: bool = False) -> Role:
    """A Role or a ClusterRole.

    Raises:
        InvalidError: The API server would reject it.
    """
    found = checks.convert(given.data, _Role, ())
    rules = tuple(_rule(each, given, ("rules", index)) for index, each in enumerate(found.rules or ()))
    labels = checks.labels(found.metadata.labels, ("metadata", "labels"))
    aggregates = None
    if found.aggregation_rule:
        # A controller replaces the rules that such a role has by those of the roles that it selects.
        aggregates, rules = _aggregates(found.aggregation_rule), ()
    return Role(given.namespace, given.name, rules, tuple(sorted(labels.items())), aggregates, default, given.place)


def _aggregates(given: _Aggregation) -> tuple[Selector, ...]:
    path: Path = ("aggregationRule", "clusterRoleSelectors")
    if not given.cluster_role_selectors:
        raise InvalidError(path, "the aggregationRule has no selector", "Give it one selector or more, or remove it.")
    return tuple(checks.selector(each, (*path, index)) for index, each in enumerate(given.cluster_role_selectors))


def _rule(data: dict[str, Any], given: Object, path: Path) -> PolicyRule:
    rule = checks.convert(data, _Rule, path)
    if not rule.verbs:
        raise InvalidError(path, "the rule has no verbs", "List what it allows, such as [get, list].")
    if rule.paths:
        if rule.api_groups or rule.resources or rule.resource_names:
            fix = "Write one rule for each."
            raise InvalidError(path, "the rule is about resources and about paths", fix)
        if given.namespace:
            fix = "Only a ClusterRole can allow nonResourceURLs."
            raise InvalidError((*path, "nonResourceURLs"), "a Role has nonResourceURLs", fix)
    elif not rule.api_groups or not rule.resources:
        lacks = "resources" if rule.api_groups else "apiGroups"
        fix = 'List them; the core group is "".'
        raise InvalidError(path, f"the rule has no {lacks}", fix)
    return PolicyRule(
        verbs=tuple(rule.verbs),
        groups=tuple(rule.api_groups or ()),
        resources=tuple(rule.resources or ()),
        names=tuple(rule.resource_names or ()),
        paths=tuple(rule.paths or ()),
        place=given.place.at(*path),
    )


def binding(given: Object, *, default: bool = False) -> Binding:
    """A RoleBinding or a ClusterRoleBinding.

    Raises:
        InvalidError: The API server would reject it.
    """
    found = checks.convert(given.data, _Binding, ())
    kinds = ("Role", "ClusterRole") if given.kind == "RoleBinding" else ("ClusterRole",)
    if found.role_ref.kind not in kinds:
        rule = f"A {given.kind} refers to a {' or a '.join(kinds)}."
        raise InvalidError(("roleRef", "kind"), f"the kind {checks.shown(found.role_ref.kind)} is wrong here", rule)
    subjects = tuple(_subject(each, ("subjects", index)) for index, each in enumerate(found.subjects or ()))
    role_namespace = given.namespace if found.role_ref.kind == "Role" else ""
    return Binding(given.namespace, given.name, role_namespace, found.role_ref.name, subjects, default, given.place)


def _subject(given: _Subject, path: Path) -> Subject:
    if given.kind not in _SUBJECTS:
        rule = f"It is one of {', '.join(_SUBJECTS)}."
        raise InvalidError((*path, "kind"), f"the kind {checks.shown(given.kind)} is wrong here", rule)
    if given.kind != "ServiceAccount":
        return Subject(given.kind, given.name)
    if not given.namespace:
        raise InvalidError(path, f"the ServiceAccount {given.name} has no namespace", "Name its namespace.")
    return Subject(given.kind, given.name, given.namespace)


def account(given: Object) -> Account:
    """A ServiceAccount.

    Raises:
        InvalidError: The API server would reject it.
    """
    found = checks.convert(given.data, _Account, ())
    return Account(given.namespace, given.name, found.automount_service_account_token is not False, given.place)
