"""What a change does, in the form that every format prints: the same change to many tenants is one entry."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from audit.changes.change import SECURITY, Area, Change, Effect
from audit.model.finding import Severity, general

SCHEMA: Final = "tenantry.dev/audit/diff/v1"


class ChangeEntry(Struct, frozen=True, rename="camel", kw_only=True):
    """One change, to one tenant or to many.

    Attributes:
        area: network, permissions, pods, metrics, tenants, capacity, alerts, left behind or values.
        effect: gained, lost or changed.
        risk: critical, high, medium or low.
        subject: What it is about; with `*` for the name of the namespace if there are several places.
        text: What begins, ends or changes, in the same form.
        namespaces: The namespaces that it concerns.
        places: File and line of what causes each occurrence; of the input before for what is lost.
    """

    area: Area
    effect: Effect
    risk: Severity
    subject: str
    text: str
    namespaces: list[str]
    places: list[str]


class DiffReport(Struct, frozen=True, rename="camel", kw_only=True):
    """What a change does.

    Attributes:
        schema: Name and version of this form.
        base: The input before, in words.
        head: The input after, in words.
        security: What begins or ends that matters for isolation, the worst first.
        rest: Capacity, alerts, what kubectl apply leaves behind, and every other value.
        problems: What is invalid in the input after.
    """

    schema: str = SCHEMA
    base: str
    head: str
    security: list[ChangeEntry]
    rest: list[ChangeEntry]
    problems: list[str]


def diff_report(base: str, head: str, found: Iterable[Change], problems: list[str]) -> DiffReport:
    """The report of changes, which are in order."""
    groups: dict[object, list[Change]] = {}
    for each in found:
        groups.setdefault(each.pattern, []).append(each)
    entries = [_entry(group) for group in groups.values()]
    security = [each for each in entries if each.area in SECURITY]
    security.sort(key=lambda each: (each.effect is Effect.LOST, each.risk.rank))
    rest = [each for each in entries if each.area not in SECURITY]
    return DiffReport(base=base, head=head, security=security, rest=rest, problems=problems)


def _entry(group: list[Change]) -> ChangeEntry:
    first = group[0]
    namespace = first.namespace if len({each.namespace for each in group}) > 1 else ""
    places = dict.fromkeys(f"{file}:{line}" if line else file for each in group for file, line in each.places)
    return ChangeEntry(
        area=first.area,
        effect=first.effect,
        risk=first.risk,
        subject=general(first.subject, namespace),
        text=general(first.text, namespace),
        namespaces=sorted({each.namespace for each in group if each.namespace}),
        places=list(places),
    )
