"""Rights: what a holder may do, and which rights give more only together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.model.permissions import ANY, PolicyRule, Role
from audit.model.place import Place
from audit.permissions.permissions import Grant

_RBAC: Final = "rbac.authorization.k8s.io"
BINDS: Final = "binds-roles"
READ: Final = ("get", "list", "watch")
WRITE: Final = ("create", "update", "patch")


@dataclass(frozen=True, slots=True)
class Right:
    """One resource of a rule that a holder has.

    Attributes:
        grant: The binding and the role.
        part: The rule, for this resource alone.
        place: Its line.
        through: The rights by which the holder can bind the role; empty for a role that is bound to it.
    """

    grant: Grant
    part: PolicyRule
    place: Place | None
    through: tuple["Right", ...] = ()

    def may_bind(self, role: Role) -> bool:
        """Whether it allows to bind a role of this kind and name."""
        kind = "roles" if role.namespace else "clusterroles"
        return role.name in self.part.names and self.may(("bind",), _RBAC, kind)

    def may(self, verbs: Sequence[str], group: str, resource: str) -> bool:
        """Whether it allows one of some verbs for some object."""
        return any(self.part.may_allow(verb, group, resource) for verb in verbs)

    @property
    def reads(self) -> bool:
        """Whether it reads objects."""
        return not {ANY, *READ}.isdisjoint(self.part.verbs)

    @property
    def writes(self) -> bool:
        """Whether it writes objects, and does not only delete them."""
        return not {ANY, *WRITE}.isdisjoint(self.part.verbs)

    @property
    def places(self) -> tuple[Place, ...]:
        """Its lines: the resource, the subject and the role that is bound, or the rights by which it can be."""
        grant, binding = self.grant, self.grant.binding
        if self.through:
            own = () if grant.role.default or self.place is None else (self.place,)
            return (*(place for each in self.through for place in each.places), *own)
        bound: tuple[Place, ...] = ()
        if not binding.default:
            subject = binding.place.at("subjects", binding.subjects.index(grant.subject), "name")
            bound = (subject, binding.place.at("roleRef", "name"))
        return bound if grant.role.default or self.place is None else (self.place, *bound)

    def __str__(self) -> str:
        names = f" named {', '.join(self.part.names)}" if self.part.names else ""
        may = f"may {', '.join(sorted(self.part.verbs))} {', '.join(sorted(self.part.written))}{names}"
        if self.through:
            able = dict.fromkeys(map(str, self.through))
            return f"{' and '.join(able)}, so it {may} {self.grant.where} by {self.grant.role.reference}"
        return f"{may} {self.grant.where} by {self.grant.role.reference} and {self.grant.binding.reference}"


def pairs(rights: Sequence[Right]) -> Iterator[tuple[str, Right, Right, bool]]:
    """Rights that together give more than the holder has: the consequence, both, and whether in the whole cluster.

    The verb bind needs the right to write bindings, the verb escalate the right to write roles.
    """
    for name, verb, written in ((BINDS, "bind", "bindings"), ("escalates-roles", "escalate", "s")):
        for first in rights:
            for resource in ("roles", "clusterroles"):
                if not first.may((verb,), _RBAC, resource):
                    continue
                for second in rights:
                    of_cluster = not (first.grant.namespace or second.grant.namespace)
                    if of_cluster and resource == "clusterroles" and _may_write(second, f"clusterrole{written}"):
                        yield name, first, second, True
                    elif _may_write(second, f"role{written}" if verb == "bind" else resource):
                        yield name, first, second, False


def _may_write(right: Right, resource: str) -> bool:
    return right.may(WRITE, _RBAC, resource)
