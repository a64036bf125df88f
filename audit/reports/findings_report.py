"""Findings in the form that every format prints: the same finding about many tenants is one entry."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from audit.cluster import Cluster
from audit.model.finding import Finding, Severity, State, general

SCHEMA: Final = "tenantry.dev/audit/findings/v1"


class Member(Struct, frozen=True, rename="camel", kw_only=True):
    """One occurrence of an entry.

    Attributes:
        id: Stable identity, for baselines and waivers.
        subject: What it is about.
        namespace: The namespace that it concerns; empty for the whole cluster.
        message: What is the case.
        file: File of the line that causes it.
        line: That line, from 1; 0 for an object of a cluster.
    """

    id: str
    subject: str
    namespace: str
    message: str
    file: str
    line: int


class Entry(Struct, frozen=True, rename="camel", kw_only=True):
    """The same finding about one or more objects.

    Attributes:
        rule: Stable name of the rule.
        state: violation, undecided or warning.
        severity: critical, high, medium or low.
        subject: What it is about; with `*` for the name of the namespace if there are several members.
        message: What is the case, in the same form.
        fix: What to change.
        source: Documentation that the rule follows, or empty.
        members: The occurrences, in the order of the input.
    """

    rule: str
    state: State
    severity: Severity
    subject: str
    message: str
    fix: str
    source: str
    members: list[Member]


class FindingsReport(Struct, frozen=True, rename="camel", kw_only=True):
    """What an audit found.

    Attributes:
        schema: Name and version of this form.
        audit: Which audit: pods, references or check.
        checked: What was looked at, in words.
        entries: What was found, the worst first.
        problems: What is invalid in the input.
    """

    schema: str = SCHEMA
    audit: str
    checked: list[str]
    entries: list[Entry]
    problems: list[str]


def findings_report(
    audit: str, cluster: Cluster, found: Iterable[Finding], checked: Sequence[str], namespace: str | None = None
) -> FindingsReport:
    """The report of findings.

    Args:
        audit: Which audit made them.
        cluster: The cluster.
        found: The findings.
        checked: What was looked at, in words.
        namespace: Only what concerns this namespace.
    """
    if namespace is not None:
        cluster.references.check_namespace(namespace)
    shown = [each for each in found if namespace in {None, each.namespace}]
    return FindingsReport(
        audit=audit,
        checked=list(checked),
        entries=entries(shown),
        problems=[str(problem) for problem in cluster.problems],
    )


def entries(found: Iterable[Finding]) -> list[Entry]:
    """Findings as entries, the worst first."""
    groups: dict[object, list[Finding]] = {}
    for each in found:
        groups.setdefault((each.pattern, each.severity), []).append(each)
    order = list(State)
    result = [_entry(group) for group in groups.values()]
    return sorted(result, key=lambda each: (order.index(each.state), each.severity.rank))


def _entry(group: list[Finding]) -> Entry:
    first = group[0]
    namespace = first.namespace if len(group) > 1 else ""
    members = [
        Member(
            id=each.id,
            subject=each.subject,
            namespace=each.namespace,
            message=each.message,
            file=each.file,
            line=each.line,
        )
        for each in group
    ]
    return Entry(
        rule=first.rule,
        state=first.state,
        severity=first.severity,
        subject=general(first.subject, namespace),
        message=general(first.message, namespace),
        fix=first.fix,
        source=first.source,
        members=members,
    )
