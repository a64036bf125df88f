"""Who may do what: roles and bindings joined, and requests decided."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from audit.model.inventory import Inventory
from audit.model.labels import Labels
from audit.model.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ANONYMOUS,
    ANY,
    AUTHENTICATED,
    UNAUTHENTICATED,
    Binding,
    PolicyRule,
    Request,
    Role,
    Subject,
)
from audit.model.place import Place
from audit.model.truth import YES
from audit.permissions.defaults import defaults


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule that a binding gives to a subject.

    Attributes:
        subject: Who gets it.
        rule: What may be done.
        namespace: Where; empty for the whole cluster.
        role: The role that the binding names.
        binding: The binding.
    """

    subject: Subject
    rule: PolicyRule
    namespace: str
    role: Role
    binding: Binding

    @property
    def default(self) -> bool:
        """Whether every new cluster has it."""
        return self.binding.default and self.role.default

    @property
    def where(self) -> str:
        """How messages say where it holds."""
        return f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"

    @property
    def place(self) -> Place:
        """The line of the rule, or of the binding's role where Kubernetes makes the role."""
        bound = self.binding.place.at("roleRef", "name")
        return bound if self.role.default or self.rule.place is None else self.rule.place

    def allows(self, request: Request) -> bool:
        """Whether it allows a request to its subject."""
        if self.namespace and self.namespace != request.namespace:
            return False
        return self.rule.allows(request)


class Permissions:
    """The permissions that the input and the defaults of Kubernetes give.

    Attributes:
        roles: Roles and ClusterRoles, those of the input before the defaults.
        bindings: The same for bindings.
        grants: Every rule of every binding.
        missing: Bindings whose role is neither in the input nor a default.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.roles = tuple(_with_defaults(inventory.roles, defaults().roles))
        self.bindings = tuple(_with_defaults(inventory.bindings, defaults().bindings))
        self._by_name = {(each.namespace, each.name): each for each in self.roles}
        self._rules: dict[tuple[str, str], tuple[PolicyRule, ...]] = {}
        self.missing: list[Binding] = []
        self.grants = tuple(self._join())
        self._of: dict[Subject, list[Grant]] = defaultdict(list)
        for grant in self.grants:
            self._of[grant.subject].append(grant)

    def rules(self, role: Role) -> tuple[PolicyRule, ...]:
        """The rules of a role; those of an aggregated one are the rules of the ClusterRoles that it selects."""
        key = (role.namespace, role.name)
        if key not in self._rules:
            sources = _aggregated(role, self.roles) if role.aggregates else [role]
            rules = (rule for source in sources for rule in source.rules)
            self._rules[key] = tuple(dict.fromkeys(rules))
        return self._rules[key]

    def of(self, user: str, groups: Iterable[str]) -> Iterator[Grant]:
        """The grants of a user through its name and its groups."""
        subjects = [_subject_of(user), *(Subject("Group", group) for group in dict.fromkeys(groups))]
        # A binding may also name an account by its user name.
        subjects += [Subject("User", user)] if subjects[0].kind == "ServiceAccount" else []
        for subject in subjects:
            yield from self._of.get(subject, ())

    def allows(self, user: str, groups: Iterable[str], request: Request) -> Grant | None:
        """A grant that allows a request of a user, or None where none does.

        Args:
            user: Name of the user; `system:serviceaccount:NAMESPACE:NAME` for an account.
            groups: Its groups, all of them: see `groups_of`.
            request: What it asks for.
        """
        return next((grant for grant in self.of(user, groups) if grant.allows(request)), None)

    def who_can(self, request: Request) -> list[Grant]:
        """Every grant that allows a request."""
        return [grant for grant in self.grants if grant.allows(request)]

    def _join(self) -> Iterator[Grant]:
        for binding in self.bindings:
            role = self._by_name.get((binding.role_namespace, binding.role))
            if role is None:
                self.missing.append(binding)
                continue
            for rule in self.rules(role):
                # Paths belong to no namespace, so a RoleBinding cannot give them.
                if rule.paths and binding.namespace:
                    continue
                for subject in dict.fromkeys(binding.subjects):
                    yield Grant(subject, rule, binding.namespace, role, binding)


def groups_of(user: str) -> tuple[str, ...]:
    """The groups that the API server gives to a user of this name by itself."""
    if user == ANONYMOUS:
        return (UNAUTHENTICATED,)
    subject = _subject_of(user)
    if subject.kind == "ServiceAccount":
        return ALL_ACCOUNTS, f"{ALL_ACCOUNTS}:{subject.namespace}", AUTHENTICATED
    return (AUTHENTICATED,)


def parts(rule: PolicyRule) -> Iterator[tuple[PolicyRule, Place | None]]:
    """A rule as one rule per resource or path, with its line, or the line of the wildcard among its verbs."""
    field = "nonResourceURLs" if rule.paths else "resources"
    for index, each in enumerate(rule.paths or rule.resources):
        part = replace(rule, paths=(each,)) if rule.paths else replace(rule, resources=(each,))
        path = ("verbs", rule.verbs.index(ANY)) if ANY in rule.verbs else (field, index)
        yield part, rule.place.at(*path) if rule.place else None


def _subject_of(user: str) -> Subject:
    namespace, colon, name = user.removeprefix(ACCOUNT_PREFIX).partition(":")
    if user.startswith(ACCOUNT_PREFIX) and colon and namespace and name:
        return Subject("ServiceAccount", name, namespace)
    return Subject("User", user)


def _with_defaults(given: Sequence, default: Sequence) -> Iterator:  # type: ignore[type-arg] # roles or bindings
    """What the input has, then the defaults that it does not replace.

    A default that the input repeats, as a dump of a cluster does, remains a default.
    """
    same = {(each.namespace, each.name): each for each in default}
    for each in given:
        key = (each.namespace, each.name)
        known = same.pop(key, None)
        yield replace(each, default=True) if known == replace(each, default=True) else each
    yield from same.values()


def _aggregated(role: Role, roles: Sequence[Role]) -> list[Role]:
    """The ClusterRoles whose rules an aggregated one takes, directly or through other aggregated ones."""
    found: dict[str, Role] = {}
    waiting, seen = [role], {role.name}
    while waiting:
        current = waiting.pop()
        for each in roles:
            if each.namespace or each.name in seen or not _selected(current, each):
                continue
            seen.add(each.name)
            if each.aggregates:
                waiting.append(each)
            else:
                found[each.name] = each
    return list(found.values())


def _selected(role: Role, other: Role) -> bool:
    labels = Labels(dict(other.labels))
    return any(selector.matches(labels) is YES for selector in role.aggregates or ())
