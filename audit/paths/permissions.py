"""Permissions: what an account, a user or a group can have because of what it may do (RBAC)."""

from collections.abc import Iterator, Sequence
from typing import Final

from audit.model.consequence import Consequence
from audit.model.permissions import ANONYMOUS, PolicyRule, Subject
from audit.paths.effects import IN_CLUSTER, IN_NAMESPACES
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.paths.rights import BINDS, READ, Right, pairs
from audit.permissions.consequences import ALL, of_rule, unlimited
from audit.permissions.permissions import Grant, groups_of, parts

_RBAC_DOCS: Final = "https://kubernetes.io/docs/reference/access-authn-authz/rbac/"
_PUBLIC: Final = "kube-public"
"""The namespace whose objects Kubernetes means everybody to read, even without credentials."""
_WRITE_ADMISSION: Final = "changes-admission"
_COMBINED: Final = {"binds-roles", "escalates-roles", "impersonates"}
"""Consequences that follow only from several rights together, or from one right in another way."""


class PermissionsPlane:
    """Accounts, users and groups, and everything in a namespace or the cluster."""

    name = "permissions"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._permissions = land.cluster.permissions
        self._namespaces = land.namespaces
        self._role_names = {each.name for each in self._permissions.roles}

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        inventory = self._land.inventory
        return {
            "binding": len(inventory.bindings),
            "role": len(inventory.roles),
            "account": len(inventory.accounts),
        }

    @property
    def unknown(self) -> list[str]:
        """Bindings whose role the input lacks."""
        missing = self._permissions.missing
        return [f"what {each.role_reference} allows, which {each.reference} gives" for each in missing]

    def steps(self, node: Node) -> Iterator[Step]:
        """What a holder of permissions can have, and what everything in a namespace or the cluster is."""
        if node.kind is Kind.CLUSTER:
            for namespace in self._namespaces:
                yield self._all(Node(Kind.NAMESPACE, namespace))
        elif node.kind is Kind.NAMESPACE:
            yield from self._everything_in(node.namespace)
        elif node.kind in {Kind.ACCOUNT, Kind.USER, Kind.GROUP}:
            grants = self._grants(node)
            rights = [Right(grant, *part) for grant in grants for part in parts(grant.rule)]
            # A right to everything does not need another one.
            limited = [each for each in rights if not unlimited(each.part)]
            bound = self._bound_rights(limited)
            for right in (*rights, *bound):
                yield from list(self._of_right(right)) or _reading(right)
            yield from self._of_rights([*limited, *(each for each in bound if not unlimited(each.part))])
            yield from self._unknown_roles(node)

    def _grants(self, node: Node) -> list[Grant]:
        if node.kind is Kind.GROUP:
            subject = Subject("Group", node.name)
            return [each for each in self._permissions.grants if each.subject == subject]
        user = Subject("ServiceAccount", node.name, node.namespace).user if node.kind is Kind.ACCOUNT else node.name
        own = self._permissions.of(user, groups_of(user))
        # A client that has a token can send a request without it.
        return list(dict.fromkeys([*own, *self._permissions.of(ANONYMOUS, groups_of(ANONYMOUS))]))

    def _everything_in(self, namespace: str) -> Iterator[Step]:
        yield self._all(Node(Kind.NEW_PODS, namespace))
        yield self._all(Node(Kind.SECRET, namespace, ANY))
        for kind in (Kind.POLICIES, Kind.MONITORS, Kind.RULES):
            yield self._all(Node(kind, namespace))
        for target in (*self._land.accounts_of(namespace), *self._land.pods(namespace)):
            yield self._all(target)

    def _all(self, target: Node) -> Step:
        consequence = ALL["administers"]
        return Step(target, "administers", consequence.sentence, lines(), source=consequence.source)

    def _of_right(self, right: Right) -> Iterator[Step]:
        """What follows from one resource of a rule."""
        grant = right.grant
        for consequence, _severity in of_rule(right.part, cluster_wide=not grant.namespace):
            if consequence.name in _COMBINED or (consequence.name == _WRITE_ADMISSION and not right.writes):
                continue
            for target, certain in self._effects(right.part, consequence, grant.namespace):
                yield _step(target, consequence, right, certain=certain)

    def _effects(self, rule: PolicyRule, consequence: Consequence, namespace: str) -> Iterator[tuple[Node, bool]]:
        """What a consequence of a rule gives in a namespace, or in the whole cluster if none is named."""
        if not namespace and consequence.name in IN_CLUSTER:
            yield from IN_CLUSTER[consequence.name](self._land, "", rule.names)
        elif consequence.name in IN_NAMESPACES:
            for each in [namespace] if namespace else self._namespaces:
                for target, certain in IN_NAMESPACES[consequence.name](self._land, each, rule.names):
                    if namespace or self._land.holds(target):
                        yield target, certain

    def _bound_rights(self, rights: Sequence[Right]) -> list[Right]:
        """The rights that a holder can give itself by binding roles of some names, and with these, others."""
        found: list[Right] = []
        seen: set[tuple[str, str, str]] = set()
        while True:
            more = list(self._bindable([*rights, *found], seen))
            if not more:
                return found
            found += more

    def _bindable(self, rights: Sequence[Right], seen: set[tuple[str, str, str]]) -> Iterator[Right]:
        named = [each for each in pairs(rights) if each[0] == BINDS and each[1].part.names]
        for _name, first, second, cluster in named:
            for role in filter(first.may_bind, self._permissions.roles):
                for namespace in [""] if cluster else self._shared(first, second):
                    key = (role.namespace, role.name, namespace)
                    if role.namespace not in {"", namespace} or key in seen:
                        continue
                    seen.add(key)
                    for rule in self._permissions.rules(role):
                        grant = Grant(first.grant.subject, rule, namespace, role, first.grant.binding)
                        for part in parts(rule) if not (rule.paths and namespace) else ():
                            yield Right(grant, *part, through=(first, second))

    def _of_rights(self, rights: Sequence[Right]) -> Iterator[Step]:
        """What follows from several resources together."""
        yield from self._impersonation(rights)
        for name, first, second, cluster in pairs(rights):
            consequence = ALL[name]
            for namespace in [""] if cluster else self._shared(first, second):
                everything = Node(Kind.NAMESPACE, namespace) if namespace else Node(Kind.CLUSTER)
                if not first.part.names or name != BINDS:
                    yield _step(everything, consequence, first, second)
                elif not self._role_names.issuperset(first.part.names):
                    yield _step(everything, consequence, first, second, certain=False)
        yield from self._tokens(rights)
        yield from self._unguarded(rights)

    def _shared(self, first: Right, second: Right) -> list[str]:
        """The namespaces in which a holder has two rights."""
        one, other = first.grant.namespace, second.grant.namespace
        if one and other and one != other:
            return []
        return [one or other] if one or other else self._namespaces

    def _impersonation(self, rights: Sequence[Right]) -> Iterator[Step]:
        consequence = ALL["impersonates"]
        for right in rights:
            grant, names = right.grant, right.part.names
            if right.may(("impersonate",), "", "serviceaccounts"):
                for namespace in [grant.namespace] if grant.namespace else self._namespaces:
                    for target, _certain in IN_NAMESPACES["creates-tokens"](self._land, namespace, names):
                        if grant.namespace or self._land.holds(target):
                            yield _step(target, consequence, right)
            for kind, resource in ((Kind.USER, "users"), (Kind.GROUP, "groups")):
                if not grant.namespace and right.may(("impersonate",), "", resource):
                    for name in names:
                        yield _step(Node(kind, "", name), consequence, right)
                    if not names:
                        yield _step(Node(Kind.CLUSTER), consequence, right)

    def _tokens(self, rights: Sequence[Right]) -> Iterator[Step]:
        """A new Secret gets a token of the account that it names, which a read or a second write returns."""
        consequence = ALL["writes-secrets"]
        creating = [each for each in rights if each.may(("create",), "", "secrets")]
        returning = [each for each in rights if each.may((*READ, "update", "patch"), "", "secrets")]
        for create in creating:
            for read in returning:
                for namespace in self._shared(create, read):
                    for account in self._land.accounts_of(namespace):
                        yield _step(account, consequence, create, read)

    def _unguarded(self, rights: Sequence[Right]) -> Iterator[Step]:
        """Turning Pod Security off in a namespace and running pods there gives their node."""
        consequence = ALL["labels-namespaces"]
        labels = [each for each in rights if each.may(("update", "patch"), "", "namespaces")]
        for label in labels:
            for run in rights:
                runs = any(each.name == "runs-pods" for each, _severity in of_rule(run.part, cluster_wide=False))
                if runs and any(not label.part.names or each in label.part.names for each in self._shared(label, run)):
                    yield _step(Node(Kind.NODE, "", ANY), consequence, label, run)

    def _unknown_roles(self, node: Node) -> Iterator[Step]:
        """What a binding gives whose role is not in the input."""
        for binding in self._permissions.missing:
            mine = [each for each in binding.subjects if _is(node, each)]
            if not mine:
                continue
            target = Node(Kind.NAMESPACE, binding.namespace) if binding.namespace else Node(Kind.CLUSTER)
            sentence = f"{binding.reference} gives it {binding.role_reference}, which the input does not hold"
            at = [
                binding.place.at("roleRef", "name"),
                binding.place.at("subjects", binding.subjects.index(mine[0]), "name"),
                *([binding.place.at("metadata", "namespace")] if binding.namespace else []),
            ]
            yield Step(target, "unknown-role", sentence, lines(*at), certain=False)


def _reading(right: Right) -> Iterator[Step]:
    """Objects that a holder may read in a namespace, where nothing else follows from it."""
    namespace = right.grant.namespace
    if namespace not in {"", _PUBLIC} and right.reads:
        sentence = f"it reads objects of the namespace: it {right}"
        yield Step(Node(Kind.OBJECTS, namespace), "reads-objects", sentence, lines(*right.places), source=_RBAC_DOCS)


def _is(node: Node, subject: Subject) -> bool:
    """Whether a subject of a binding means an account, a user or a group."""
    if node.kind is Kind.GROUP:
        return (subject.kind, subject.name) == ("Group", node.name)
    user = Subject("ServiceAccount", node.name, node.namespace).user if node.kind is Kind.ACCOUNT else node.name
    groups = {*groups_of(user), *groups_of(ANONYMOUS)}
    return subject.user in {user, ANONYMOUS} or (subject.kind == "Group" and subject.name in groups)


def _step(target: Node, consequence: Consequence, *rights: Right, certain: bool = True) -> Step:
    if any(each.through for each in rights):
        consequence = ALL[BINDS]
    places = tuple(dict.fromkeys(place for right in rights for place in right.places))
    says = dict.fromkeys(map(str, rights))
    sentence = f"{consequence.sentence} (it {' and '.join(says)})"
    return Step(target, consequence.name, sentence, lines(*places), certain=certain, source=consequence.source)
