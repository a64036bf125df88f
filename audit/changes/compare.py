"""The differences between two inputs, by area and risk."""

from collections.abc import Iterator
from typing import Final

from audit.changes.change import Area, Change, Effect, Fact
from audit.changes.facts import facts
from audit.changes.values import value_changes
from audit.cluster import Cluster
from audit.model.addresses import Addresses
from audit.reading.documents import TextDocument

_NAMED: Final = 6


def changes(
    base: Cluster, head: Cluster, documents: tuple[list[TextDocument], list[TextDocument]], default_namespace: str
) -> list[Change]:
    """Everything that differs, ordered by area, then effect, then risk.

    Args:
        base: The input before.
        head: The input after.
        documents: The documents of both.
        default_namespace: Namespace of objects that do not name one.
    """
    tenants = {each.namespace for cluster in (base, head) for each in cluster.workloads}
    found = [*_facts(base, head), *value_changes(*documents, tenants, default_namespace)]
    areas, effects = list(Area), list(Effect)
    return sorted(
        found,
        key=lambda each: (areas.index(each.area), effects.index(each.effect), each.risk.rank, each.places),
    )


def _facts(base: Cluster, head: Cluster) -> Iterator[Change]:
    before, after = _by_key(base), _by_key(head)
    known: dict[str, Addresses] = {}
    for fact in before.values():
        if fact.block:
            rest, block = fact.block
            known[rest] = known.get(rest, Addresses()) | block
    for key, fact in after.items():
        if key in before:
            continue
        new = fact.block[1] & ~known.get(fact.block[0], Addresses()) if fact.block else None
        if new is None or new:
            yield _change(fact, Effect.GAINED, f" (new: {_listed(new)})" if new else "")
    for key, fact in before.items():
        if key not in after:
            yield _change(fact, Effect.LOST)


def _by_key(cluster: Cluster) -> dict[tuple[str, str, str], Fact]:
    found: dict[tuple[str, str, str], Fact] = {}
    for each in facts(cluster):
        found.setdefault(each.key, each)
    return found


def _change(fact: Fact, effect: Effect, more: str = "") -> Change:
    return Change(fact.area, effect, fact.risk, fact.namespace, fact.subject, fact.text + more, fact.places)


def _listed(addresses: Addresses) -> str:
    cidrs = addresses.cidrs()
    return ", ".join(cidrs[:_NAMED]) + (f" and {len(cidrs) - _NAMED} more" if len(cidrs) > _NAMED else "")
