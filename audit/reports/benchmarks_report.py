"""The Multi-Tenancy Benchmarks of tenants, in the form that every format prints."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from audit.benchmarks import BENCHMARKS, Benchmark, Outcome, Result
from audit.cluster import Cluster
from audit.model.finding import general

SCHEMA: Final = "tenantry.dev/audit/benchmarks/v1"


class Member(Struct, frozen=True, rename="camel", kw_only=True):
    """A tenant.

    Attributes:
        tenant: Its name.
        reason: Why it has the outcome.
        file: File of the line that decides, or empty.
        line: That line, from 1; 0 where no line decides.
    """

    tenant: str
    reason: str
    file: str
    line: int


class Group(Struct, frozen=True, rename="camel", kw_only=True):
    """Tenants with the same outcome for the same reason.

    Attributes:
        outcome: pass, fail, unknown or not applicable.
        reason: Why; with `*` for the name of the tenant if there are several.
        members: The tenants.
    """

    outcome: Outcome
    reason: str
    members: list[Member]


class Check(Struct, frozen=True, rename="camel", kw_only=True):
    """A check, and what it says.

    Attributes:
        name: Its name.
        suite_id: Its identifier in the suite, or the issue that planned it.
        title: What must be the case.
        level: 1 for isolation, 2 for what tenants may do for themselves.
        kube_linter: The corresponding check of kube-linter, or empty.
        kubescape: The control of Kubescape, or empty.
        checkov: The policy of Checkov, or empty.
        groups: The tenants, by outcome and reason.
    """

    name: str
    suite_id: str
    title: str
    level: int
    kube_linter: str
    kubescape: str
    checkov: str
    groups: list[Group]


class BenchmarksReport(Struct, frozen=True, rename="camel", kw_only=True):
    """What the checks say about the tenants.

    Attributes:
        schema: Name and version of this form.
        tenants: Names of the tenants.
        checks: The checks, in the order of the suite.
        problems: What is invalid in the input.
    """

    schema: str = SCHEMA
    tenants: list[str]
    checks: list[Check]
    problems: list[str]


def benchmarks_report(cluster: Cluster, found: Iterable[Result], names: list[str]) -> BenchmarksReport:
    """The report of the results of some tenants."""
    by_name: dict[str, list[Result]] = {}
    for each in found:
        if each.tenant in names:
            by_name.setdefault(each.benchmark, []).append(each)
    return BenchmarksReport(
        tenants=names,
        checks=[_check(each, by_name.get(each.name, [])) for each in BENCHMARKS],
        problems=[str(problem) for problem in cluster.problems],
    )


def _check(benchmark: Benchmark, found: list[Result]) -> Check:
    groups: dict[tuple[Outcome, str], list[Result]] = {}
    for each in found:
        groups.setdefault((each.answer.outcome, general(each.answer.reason, each.tenant)), []).append(each)
    order = [Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE]
    return Check(
        name=benchmark.name,
        suite_id=benchmark.suite_id,
        title=benchmark.title,
        level=benchmark.level,
        kube_linter=benchmark.kube_linter,
        kubescape=benchmark.kubescape,
        checkov=benchmark.checkov,
        groups=[
            _group(outcome, reason, members)
            for (outcome, reason), members in sorted(groups.items(), key=lambda each: order.index(each[0][0]))
        ],
    )


def _group(outcome: Outcome, reason: str, found: list[Result]) -> Group:
    members = []
    for each in found:
        file, line = each.answer.place or ("", 0)
        members.append(Member(tenant=each.tenant, reason=each.answer.reason, file=file, line=line))
    return Group(outcome=outcome, reason=reason if len(found) > 1 else found[0].answer.reason, members=members)
