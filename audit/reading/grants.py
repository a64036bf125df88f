"""ReferenceGrants from plain data."""

from msgspec import Struct

from audit.model.grants import ReferenceGrant, Referent, Referrer
from audit.model.objects import Object
from audit.reading import checks


class _From(Struct):
    """Who may refer to what the namespace has."""

    group: str
    kind: str
    namespace: str


class _To(Struct):
    """What may be referred to."""

    group: str
    kind: str
    name: str | None = None


def reference_grant(given: Object) -> ReferenceGrant:
    """A ReferenceGrant.

    Raises:
        InvalidError: The API server would reject it.
    """
    spec = given.data.get("spec") or {}
    referrers = checks.convert(spec.get("from") or [], list[_From], ("spec", "from"))
    referents = checks.convert(spec.get("to") or [], list[_To], ("spec", "to"))
    return ReferenceGrant(
        given.namespace,
        given.name,
        tuple(Referrer(each.group, each.kind, each.namespace) for each in referrers),
        tuple(Referent(each.group, each.kind, each.name or "") for each in referents),
        given.place,
    )
