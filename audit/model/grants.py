"""ReferenceGrants: which objects of other namespaces may refer to objects of a namespace."""

from dataclasses import dataclass

from audit.model.place import Place

GATEWAY_API = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Referrer:
    """Objects that may refer to others.

    Attributes:
        group: Their API group.
        kind: Their kind.
        namespace: Their namespace.
    """

    group: str
    kind: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Referent:
    """Objects that others may refer to.

    Attributes:
        group: Their API group.
        kind: Their kind.
        name: The name of the only one; empty for all.
    """

    group: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceGrant:
    """A ReferenceGrant.

    Attributes:
        namespace: Its namespace, which has what is referred to.
        name: Its name.
        referrers: Who may refer to it.
        referents: What they may refer to.
        place: Where it stands.
    """

    namespace: str
    name: str
    referrers: tuple[Referrer, ...]
    referents: tuple[Referent, ...]
    place: Place

    def allows(self, referrer: Referrer, referent: Referent) -> bool:
        """Whether it allows a reference to one object of its namespace."""
        of_all = Referent(referent.group, referent.kind)
        return referrer in self.referrers and not {referent, of_all}.isdisjoint(self.referents)
