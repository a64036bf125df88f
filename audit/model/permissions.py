"""Roles, bindings and the requests that they allow (RBAC)."""

from dataclasses import dataclass, field
from typing import Final

from audit.model.labels import Selector
from audit.model.place import Place

ANY: Final = "*"
ACCOUNT_PREFIX: Final = "system:serviceaccount:"
AUTHENTICATED: Final = "system:authenticated"
"""The group of everyone that the API server knows."""
UNAUTHENTICATED: Final = "system:unauthenticated"
ALL_ACCOUNTS: Final = "system:serviceaccounts"
"""The group of every ServiceAccount; with `:NAMESPACE`, of those of a namespace."""
ANONYMOUS: Final = "system:anonymous"
"""The user of requests without credentials."""
EVERYBODY: Final = frozenset({ALL_ACCOUNTS, AUTHENTICATED, UNAUTHENTICATED, ANONYMOUS})
"""The groups that accounts of every namespace belong to, and the group and user of requests without credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the API server, without who makes it.

    Attributes:
        verb: get, list, create, ...
        group: API group; empty for the core group.
        resource: Plural name of the resource; empty for a request to a path.
        subresource: Such as exec, or empty.
        name: Name of the object, or empty where the request names none.
        namespace: Its namespace; empty for the whole cluster.
        path: Path of a request that is not about a resource, such as /metrics.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.verb} {self.path}"
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        parts = (resource, self.subresource, self.name and f"({self.name})")
        where = f" in {self.namespace}" if self.namespace else " in the whole cluster"
        return f"{self.verb} {'/'.join(part for part in parts[:2] if part)}{' ' + parts[2] if self.name else ''}{where}"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule of a role.

    Attributes:
        verbs: What may be done, or `*`.
        groups: API groups, or `*`.
        resources: Resources with their subresource, as in pods/exec; `*` and `*/exec` are wildcards.
        names: Names of objects that the rule is limited to; empty for all.
        paths: Paths that are not resources, as in /healthz and /logs/*.
        place: Where the rule stands.
    """

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)

    def allows(self, request: Request) -> bool:
        """Whether the rule allows a request."""
        if not _has(self.verbs, request.verb):
            return False
        if request.path:
            return any(_path_matches(path, request.path) for path in self.paths)
        return (
            _has(self.groups, request.group)
            and self._allows_resource(request.resource, request.subresource)
            and (not self.names or request.name in self.names)
        )

    def may_allow(self, verb: str, group: str, resource: str, subresource: str = "") -> bool:
        """Whether the rule allows a request about some object, whatever its name."""
        if not (_has(self.verbs, verb) and _has(self.groups, group)):
            return False
        # The name of an object that is created is not part of the request.
        created = verb == "create" and not subresource
        return self._allows_resource(resource, subresource) and not (created and self.names)

    @property
    def written(self) -> list[str]:
        """Its paths, or its resources with their group, as kubectl writes them: deployments.apps/scale."""
        found = list(self.paths)
        for group in self.groups:
            for resource in self.resources:
                name, slash, part = resource.partition("/")
                found.append(f"{name}.{group}{slash}{part}" if group else resource)
        return found

    def _allows_resource(self, resource: str, subresource: str) -> bool:
        if not subresource:
            return _has(self.resources, resource)
        wanted = {ANY, f"{resource}/{subresource}", f"{ANY}/{subresource}"}
        return not wanted.isdisjoint(self.resources)


def proxied(name: str) -> str:
    """The name of the pod or Service in a request to its proxy, which may be written SCHEME:NAME:PORT."""
    parts = name.split(":")
    return parts[1] if len(parts) == 3 else parts[0]  # noqa: PLR2004 - scheme, name and port


def _has(allowed: tuple[str, ...], value: str) -> bool:
    return ANY in allowed or value in allowed


def _path_matches(allowed: str, path: str) -> bool:
    if allowed in {ANY, path}:
        return True
    return allowed.endswith("*") and path.startswith(allowed.rstrip("*"))


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is bound to a role.

    Attributes:
        kind: ServiceAccount, User or Group.
        name: Its name.
        namespace: Namespace of a ServiceAccount; empty otherwise.
    """

    kind: str
    name: str
    namespace: str = ""

    @property
    def user(self) -> str:
        """The user name of an account or a user; empty for a group."""
        if self.kind == "ServiceAccount":
            return f"{ACCOUNT_PREFIX}{self.namespace}:{self.name}"
        return self.name if self.kind == "User" else ""

    @property
    def home(self) -> str:
        """The namespace of an account, or of the accounts of a group; empty for every other user and group."""
        if self.kind == "Group":
            return self.name.removeprefix(f"{ALL_ACCOUNTS}:") if self.name.startswith(f"{ALL_ACCOUNTS}:") else ""
        if self.kind == "User" and self.name.startswith(ACCOUNT_PREFIX):
            return self.name.removeprefix(ACCOUNT_PREFIX).partition(":")[0]
        return self.namespace

    def __str__(self) -> str:
        return self.user if self.kind == "ServiceAccount" else f"{self.kind.lower()} {self.name}"


@dataclass(frozen=True, slots=True)
class Role:
    """A Role or a ClusterRole.

    Attributes:
        namespace: Namespace of a Role; empty for a ClusterRole.
        name: Its name.
        rules: Its rules, as they are written.
        labels: Its labels, which aggregation looks at.
        aggregates: Selectors of the ClusterRoles whose rules it takes instead of its own; None without aggregation.
        default: Whether Kubernetes itself makes it.
        place: Where it stands.
    """

    namespace: str
    name: str
    rules: tuple[PolicyRule, ...]
    labels: tuple[tuple[str, str], ...]
    aggregates: tuple[Selector, ...] | None
    default: bool
    place: Place = field(compare=False)

    @property
    def reference(self) -> str:
        """How messages name it."""
        return f"Role {self.namespace}/{self.name}" if self.namespace else f"ClusterRole {self.name}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A RoleBinding or a ClusterRoleBinding.

    Attributes:
        namespace: Namespace of a RoleBinding; empty for a ClusterRoleBinding.
        name: Its name.
        role_namespace: Namespace of the Role that it gives; empty for a ClusterRole.
        role: Name of the role.
        subjects: Who gets it.
        default: Whether Kubernetes itself makes it.
        place: Where it stands.
    """

    namespace: str
    name: str
    role_namespace: str
    role: str
    subjects: tuple[Subject, ...]
    default: bool
    place: Place = field(compare=False)

    @property
    def reference(self) -> str:
        """How messages name it."""
        return f"RoleBinding {self.namespace}/{self.name}" if self.namespace else f"ClusterRoleBinding {self.name}"

    @property
    def role_reference(self) -> str:
        """How messages name the role that it gives."""
        return f"Role {self.role_namespace}/{self.role}" if self.role_namespace else f"ClusterRole {self.role}"


@dataclass(frozen=True, slots=True)
class Account:
    """A ServiceAccount.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        mounts_token: Whether pods get its token unless they say otherwise.
        place: Where it stands, or None where it is only mentioned.
    """

    namespace: str
    name: str
    mounts_token: bool
    place: Place | None = field(compare=False, default=None)
